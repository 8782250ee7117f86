"""SSH public keys registered with any libcloud cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gcelib.drivers.generic.effects import Seen, reached
from gcelib.drivers.generic.facet import Facet
from gcelib.drivers.generic.reading import keypair_of
from gcelib.models import Job, KeyPair


class KeyPairs(Facet):
    """list_key_pairs and import_key_pair_from_string, where a machine can be given one at its making."""

    name = "keypairs"
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "list": ("list_key_pairs",), "register": ("import_key_pair_from_string", "list_key_pairs"),
    }

    def list(self) -> Sequence[KeyPair]:
        """Every registered key."""
        return [keypair_of(each) for each in self.door.read("list_key_pairs") or []]

    def register(self, *, key: str, name: str, public_key: str) -> Job:
        """Make the key known; one of this name is it already: the name is made of the key."""
        if all(each.name != name for each in self.list()):
            self.door.change("import_key_pair_from_string", name=name, key_material=public_key)
        return self.done(name, name=name)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether there is a key of this name."""
        name = str(args["name"])
        return reached(any(each.name == name for each in self.list()), name, name=name)
