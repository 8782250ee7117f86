"""One provider under test: a gcelib process over its cloud, what it says it can, and bodies that fit it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gcelib.drivers import registry
from tests.api import Api
from tests.live import Live

NUMBERS = itertools.count(1)


@dataclass
class Site:
    """`provider` is libcloud's name, `cloud` the configuration's; `image`, `size` and `larger` are GCE names there."""

    live: Live
    provider: str
    cloud: str
    zone: str
    image: str
    size: str
    larger: str = ""
    network: str = "global/networks/default"
    subnetwork: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What an instance's body needs beyond the usual."""
    not_here: Mapping[str, str] = field(default_factory=dict)
    """Facets that the provider has and this zone of it has not -> why."""

    @property
    def api(self) -> Api:
        """A checked client, an admin of project demo."""
        return self.live.api()

    @property
    def region(self) -> str:
        """The zone's region."""
        return self.zone.rpartition("-")[0]

    def can(self, *abilities: str) -> bool:
        """Whether the provider says that it can all of this: "volumes.create"."""
        return not self.lacking(*abilities)

    def lacking(self, *abilities: str) -> list[str]:
        """What of it the provider says it cannot."""
        profile = registry.profile_of(self.provider)
        able = registry.abilities(profile)
        pairs = [each.split(".") for each in abilities]
        return [
            f"{facet}.{verb}" for facet, verb in pairs if verb not in able.get(facet, ()) or facet in self.not_here
        ]

    def why_not(self, ability: str) -> str:
        """Why the provider, or this zone of it, cannot."""
        facet = ability.partition(".")[0]
        if facet in self.not_here:
            return self.not_here[facet]
        return registry.why_not(registry.profile_of(self.provider), *ability.split("."))

    def name(self, kind: str = "vm") -> str:
        """A name nobody has used yet."""
        return f"conform-{kind}-{next(NUMBERS)}"

    def body(self, name: str, **fields: Any) -> dict[str, Any]:
        """An instance as a client asks for one."""
        nic = {"subnetwork": self.subnetwork} if self.subnetwork else {"network": self.network}
        return {
            "name": name, "machineType": f"zones/{self.zone}/machineTypes/{self.size}", "networkInterfaces": [nic],
            "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": self.image}}],
            **self.extra, **fields,
        }

    def path(self, *segments: str) -> str:
        """A path in the zone."""
        return "/".join(("zones", self.zone, *segments))

    def machine(self, name: str) -> Any:
        """The instance of this name, as it is now."""
        return self.api.get(self.path("instances", name))
