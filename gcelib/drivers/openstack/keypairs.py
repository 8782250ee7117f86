"""SSH public keys registered with Nova."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.generic.effects import Seen, reached
from gcelib.drivers.openstack.facet import Facet
from gcelib.drivers.openstack.records import KeyPairEntry, KeyPairRow
from gcelib.errors import Exists
from gcelib.models import Job, KeyPair


class KeyPairs(Facet):
    """The user's keys: a project's other users have their own."""

    name = "keypairs"

    def list(self) -> Sequence[KeyPair]:
        """Every registered key."""
        return [KeyPair(row.name, row.fingerprint or "") for row in self._rows()]

    def register(self, *, key: str, name: str, public_key: str) -> Job:
        """Make the key known; one of this name is it already: the name is made of the key."""
        if not self._there(name):
            body = {"keypair": {"name": name, "public_key": public_key}}
            try:
                self.api.change("POST", "compute", "/os-keypairs", body)
            except Exists:
                # Somebody registered it at the same time.
                return self.done(name, name=name)
        return self.done(name, name=name)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether there is a key of this name."""
        name = str(args["name"])
        return reached(self._there(name), name, name=name)

    def _there(self, name: str) -> bool:
        return any(row.name == name for row in self._rows())

    def _rows(self) -> Sequence[KeyPairRow]:
        return [each.keypair for each in self.api.rows("compute", "/os-keypairs", "keypairs", KeyPairEntry)]
