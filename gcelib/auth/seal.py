"""Seals what must be kept but not read: callers' keys at rest, and codes that carry what they are for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gcelib.auth.digests import derive

_NONCE = 12
_ID = 8


class Broken(Exception):
    """What is no work of this seal, or of a key that nobody has any more."""


class Seal:
    """AES-256-GCM (NIST SP 800-38D) with keys derived from the seal key, one for each purpose.

    A sealed text begins with the id of the key that made it. `load` gives the seal key as it is now: it is
    asked again before anything is sealed and when a text names a key not known here, so that a seal key that
    was rotated is followed without a restart. Only the seal keys met since the start are known.
    """

    def __init__(self, load: Callable[[], bytes], purpose: str) -> None:
        self._load = load
        self._purpose = purpose
        self._known: dict[str, bytes] = {}
        self.newest()

    def newest(self) -> str:
        """The id of the key that seals now."""
        return self.know(self._load())

    def know(self, seal_key: bytes) -> str:
        """Open what was sealed with this seal key, too; the id of its key."""
        key = derive(seal_key, self._purpose)
        id = hashlib.sha256(b"id " + key).hexdigest()[:_ID]
        self._known[id] = key
        return id

    def shut(self, content: bytes, about: str) -> str:
        """`content` sealed, for `open` with the same `about` only: letters, digits, "-", "_" and one dot."""
        id = self.newest()
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self._known[id]).encrypt(nonce, content, about.encode())
        return f"{id}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def open(self, text: str, about: str) -> bytes:
        """What was sealed. Raises Broken for anything else."""
        id, _, body = text.partition(".")
        if id not in self._known:
            self.newest()
        key = self._known.get(id)
        if key is None:
            raise Broken("It was sealed with another key.")
        try:
            raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], about.encode())
        except (binascii.Error, ValueError, InvalidTag) as error:
            raise Broken("It is not as it was sealed.") from error

    def digest(self, *words: str) -> str:
        """The same for the same words, of no use to whoever has not the seal key."""
        text = "\0".join(words)
        return hmac.new(self._known[self.newest()], b"digest " + text.encode(), hashlib.sha256).hexdigest()
