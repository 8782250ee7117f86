"""CloudStack's SSH key pairs."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.facet import Facet
from gcelib.drivers.cloudstack.jobs import Seen
from gcelib.errors import Exists, Refused
from gcelib.models import Job, JobState, KeyPair


class KeyPairs(Facet):
    """listSSHKeyPairs and registerSSHKeyPair."""

    name = "keypairs"

    def list(self) -> Sequence[KeyPair]:
        """The keys registered with the account."""
        return [KeyPair(name=row.name, fingerprint=row.fingerprint) for row in self._rows()]

    def register(self, *, key: str, name: str, public_key: str) -> Job:
        """Register a key; CloudStack refuses one it has, so that name is given back instead.

        Raises Exists when the name belongs to another key.
        """
        try:
            self.client.change("registerSSHKeyPair", name=name, publickey=public_key)
        except Refused as fault:
            seen = self.seen("register", {"name": name, "public_key": public_key}, "")
            if seen is not None:
                return Job(seen.state, target=seen.target, result=seen.result)
            if any(row.name == name for row in self._rows()):
                raise Exists(f"{self.client.at} has another SSH key named '{name}'.") from fault.__cause__
            raise
        return Job(JobState.DONE, target=name, result={"name": name})

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The key under whatever name the cloud has it."""
        wanted = fingerprint(str(args["public_key"]))
        named = [row.name for row in self._rows() if wanted and row.fingerprint.casefold() == wanted]
        if not named:
            return None
        name = str(args["name"]) if args["name"] in named else named[0]
        return Seen(JobState.DONE, name, {"name": name})

    def _rows(self) -> Sequence[records.KeyPairRow]:
        return self.client.rows("listSSHKeyPairs", "sshkeypair", records.KeyPairRow)


def fingerprint(public_key: str) -> str:
    """MD5 of an OpenSSH public key in colon form (RFC 4716, section 4); "" when the text is no key."""
    for word in public_key.split():
        try:
            blob = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            continue
        if blob[:3] == b"\0\0\0" and len(blob) > 16:
            digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
            return ":".join(digest[at : at + 2] for at in range(0, 32, 2))
    return ""
