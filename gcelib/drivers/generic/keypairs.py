"""SSH public keys: registered with the cloud first, or handed to a machine at its making."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libcloud.compute.base import NodeAuthSSHKey

from gcelib.drivers.generic.effects import Seen, reached
from gcelib.drivers.generic.facet import Facet
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.generic.reading import extra_of, keypair_of
from gcelib.errors import NotFound
from gcelib.models import Job, KeyPair

REGISTRY = ("list_key_pairs", "import_key_pair_from_string")


@dataclass(frozen=True, slots=True)
class Handed:
    """How a driver's create_node takes a key: under which name, what of it, and whether as one of several.

    `what`: "name" or "id" of a registered key, else the "text" of any key, or "auth", libcloud's own wrapping of it.
    """

    argument: str
    what: str
    listed: bool = False

    @property
    def registered(self) -> bool:
        """Whether the key must be known to the cloud before."""
        return self.what in ("name", "id")


WAYS = (
    Handed("ex_keyname", "name"), Handed("ex_key_name", "name"), Handed("ex_keypair", "name"),
    Handed("ex_ssh_key_ids", "id", listed=True), Handed("ex_authorized_keys", "text", listed=True),
    Handed("auth", "auth"),
)
"""How drivers take keys, the first that is there is used."""


def handed(kind: Kind) -> Handed | None:
    """How this driver takes a key at a machine's making; None when it takes none."""
    known = kind.parameters("create_node")
    ways = (way for way in WAYS if way.argument in known and (not way.registered or kind.has(*REGISTRY)))
    return next(ways, None)


class KeyPairs(Facet):
    """list_key_pairs and import_key_pair_from_string; of a key that is only handed on nothing is kept anywhere."""

    name = "keypairs"

    @classmethod
    def can(cls, kind: Kind, verb: str) -> bool:
        """Whether keys reach machines at all."""
        return handed(kind) is not None

    def list(self) -> Sequence[KeyPair]:
        """Every registered key."""
        way = handed(self.door.kind)
        return self.models(keypair_of, self.objects()) if way is not None and way.registered else []

    def objects(self) -> Sequence[Any]:
        """libcloud's own objects."""
        return self.door.rows("list_key_pairs")

    def register(self, *, key: str, name: str, public_key: str) -> Job:
        """Make the key known; one of this name is it already: the name is made of the key."""
        way = handed(self.door.kind)
        if way is None or not way.registered:
            return self.done(name, name=public_key)
        if all(each.name != name for each in self.list()):
            self.door.change("import_key_pair_from_string", name=name, key_material=public_key)
        return self.done(name, name=name)

    def argument(self, name: str) -> Mapping[str, Any]:
        """The argument of create_node that gives a machine the key that `register` called so. Raises NotFound."""
        way = handed(self.door.kind)
        if way is None:
            return {}
        value: Any = NodeAuthSSHKey(name) if way.what == "auth" else name
        if way.what == "id":
            found = next((each for each in self.objects() if each.name == name), None)
            if found is None:
                raise NotFound(f"{self.door.at} has no key '{name}' any more.")
            value = str(extra_of(found).get("id") or found.fingerprint or found.name)
        return {way.argument: [value] if way.listed else value}

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether there is a key of this name."""
        name = str(args["name"])
        return reached(any(each.name == name for each in self.list()), name, name=name)
