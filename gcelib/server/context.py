"""What a handler may know: who asks, for what, over which clouds, and how links are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gcelib import naming
from gcelib.auth.caller import Caller
from gcelib.auth.seal import Seal
from gcelib.config import Config
from gcelib.errors import Invalid
from gcelib.server.links import Links, Ref, parse
from gcelib.server.listing import Sealer
from gcelib.server.operations.runner import Runner
from gcelib.server.routes import Method
from gcelib.server.view import View
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations


@dataclass(frozen=True, slots=True)
class Services:
    """What lives as long as the server: one of each."""

    config: Config
    notes: Notes
    operations: Operations
    runner: Runner
    sealer: Sealer
    seal: Seal
    """Of what is kept of requests, to carry them out anew."""
    now: Callable[[], float]


class Ground(Protocol):
    """What plans are made from, with a request or without: what the project holds, and the name it is kept under."""

    @property
    def view(self) -> View: ...

    @property
    def tenancy(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Context:
    """One API call. `project` is the name as the client wrote it, `tenancy` the one things are kept under: the
    configured project's own, or that of a caller's own account. `aliases` are its other names.

    `params` are the path's, `query` and `body` are validated; `families` is set when the project is an
    image project: family name -> template name or id.
    """

    method: Method
    caller: Caller
    project: str
    tenancy: str
    params: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    view: View
    links: Links
    services: Services
    families: Mapping[str, str] | None = None
    aliases: Sequence[str] = ()
    warnings: list[tuple[str, str]] = field(default_factory=list)
    """(code, message) pairs for the operation, from validation."""
    began: float | None = None
    """The operations' moment at which a change began to be planned."""
    description: str = ""
    """What the operation is to say of itself."""

    def ref(self, text: str, collection: str, field_path: str) -> Ref:
        """A link or a name in the body, in any form GCE takes. Raises Invalid naming the field.

        Only images may be another project's: a thing of one's own that has the same name is not what was meant.
        """
        ref = parse(text, project=self.project, collection=collection, field=field_path)
        number = naming.number("", "project", self.tenancy)
        if ref.collection != "images" and ref.project not in (self.project, self.tenancy, *self.aliases, number):
            raise Invalid(
                f"Invalid value for field '{field_path}': '{text}'. It is of project '{ref.project}'; but for images, "
                f"only what is of project '{self.project}' can be used.", field=field_path,
            )
        return ref

    def link(self, *segments: str) -> str:
        """A full link to something below the project."""
        return self.links.at("/".join(("projects", self.project, *segments)))

    def render_path(self, path: str) -> str:
        """A full link from a stored path, whose first segment is the project: as this client calls it."""
        rest = path.partition("/")[2]
        return self.link(rest) if rest else self.link()
