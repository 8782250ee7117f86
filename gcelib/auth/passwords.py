"""Hashes passwords with Argon2id, and checks them at the same cost whether the account exists or not."""

from __future__ import annotations

import functools
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()

_TURNS = threading.BoundedSemaphore(2)
"""One check takes 64 MiB: a flood of sign-ins must not take them thirty-two times."""


def hashed(password: str) -> str:
    """The Argon2id hash to store."""
    with _TURNS:
        return _HASHER.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether `password` is the one hashed in `stored`; an empty `stored` matches nothing, as slowly."""
    against = stored or _nobody()
    with _TURNS:
        try:
            return _HASHER.verify(against, password) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False


@functools.cache
def _nobody() -> str:
    return hashed("the password of an account that does not exist")
