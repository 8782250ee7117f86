"""Codes that are handed out without a page: they carry what they are for, and buy nothing without the secret."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from gcelib.auth.digests import digest, token
from gcelib.auth.seal import Broken, Seal
from gcelib.store import Code

_LONGEST = 8192
_MOST = 16_384


class SealedCodes:
    """Makes such codes and reads them. Nothing is stored before somebody came with the secret to one.

    Anybody may ask for one, so that keeping them would let strangers fill the database.
    """

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def make(self, asked: Mapping[str, str], scopes: list[str], expires: float) -> str:
        """A code for this client, redirect, scope and PKCE challenge, until it expires (epoch seconds)."""
        names = ("client_id", "redirect_uri", "code_challenge")
        held = [token(), expires, " ".join(scopes), *(asked.get(name, "") for name in names)]
        return self._seal.shut(zlib.compress(json.dumps(held).encode()), "code")

    def read(self, code: str) -> Code | None:
        """What the code is for; None when it is none of ours. Its account is not known yet."""
        if len(code) > _LONGEST or "." not in code:
            return None
        try:
            held: list[Any] = json.loads(zlib.decompressobj().decompress(self._seal.open(code, "code"), _MOST))
        except (Broken, zlib.error, ValueError):
            return None
        name, expires, scope, client, redirect, challenge = held
        family = digest(f"family {name}")
        return Code(digest(f"code {name}"), "", client, redirect, scope, challenge, family, expires)
