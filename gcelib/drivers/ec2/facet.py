"""What the facets of an EC2 region share: the client, and what things are made of there."""

from __future__ import annotations

from dataclasses import dataclass

from gcelib.drivers.ec2.client import Client
from gcelib.drivers.generic import facet
from gcelib.drivers.generic.effects import Effects

ELASTIC, AUTOMATIC = "elastic", "automatic"
"""Where a machine's public address of the moment comes from: an elastic IP taken for it, or EC2's own choice."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of a region beyond where it is; see docs/clouds/ec2.md."""

    image_owners: tuple[str, ...] = ("self",)
    image_ids: tuple[str, ...] = ()
    image_names: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    vpc: str = ""
    volume_type: str = "gp3"
    public_addresses: str = ELASTIC


class Facet(facet.Facet):
    """One facet of a region."""

    def __init__(self, client: Client, effects: Effects, settings: Settings) -> None:
        super().__init__(client.door, effects)
        self.client = client
        self.settings = settings

