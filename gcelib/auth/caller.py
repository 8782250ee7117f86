"""Who is asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """An account that showed a good token.

    `roles`: project, or "*" for every one, to viewer, operator or admin. `scopes`: what the token was
    asked for; empty means no limit beyond the roles. `token_id` names the token in logs and is no secret.
    """

    email: str
    kind: str
    roles: Mapping[str, str]
    scopes: frozenset[str]
    token_id: str
