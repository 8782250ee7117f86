"""The console: what goes on in this server, for people in a browser, on the administrator's port."""

from gcelib.server.console.desk import Desk
from gcelib.server.console.entrance import Entrance
from gcelib.server.console.samples import Samples, Sources
from gcelib.server.console.site import Console, beside

__all__ = ["Console", "Desk", "Entrance", "Samples", "Sources", "beside"]
