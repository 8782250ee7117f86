"""SSH public keys that machines are given at their making."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.wire import text
from gcelib.drivers.generic.effects import Seen, reached
from gcelib.errors import Exists
from gcelib.models import Job, KeyPair


class KeyPairs(Facet):
    """EC2's key pairs, of which we hold the public half only."""

    name = "keypairs"

    def list(self) -> Sequence[KeyPair]:
        """Every registered key."""
        return [KeyPair(text(row, "keyName"), text(row, "keyFingerprint")) for row in self.client.list(
            "DescribeKeyPairs", "keySet")]  # fmt: skip

    def register(self, *, key: str, name: str, public_key: str) -> Job:
        """Make the key known; one of this name is it already: the name is made of the key."""
        material = base64.b64encode(public_key.encode()).decode()
        try:
            self.client.change("ImportKeyPair", KeyName=name, PublicKeyMaterial=material)
        except Exists:
            return self.done(name, name=name)
        return self.done(name, name=name)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether there is a key of this name."""
        name = str(args["name"])
        return reached(any(each.name == name for each in self.list()), name, name=name)
