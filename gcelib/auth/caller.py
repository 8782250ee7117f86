"""Who is asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gcelib.config.keys import Keys


@dataclass(frozen=True, slots=True)
class Caller:
    """An account that showed a good token.

    `roles`: project, or "*" for every one, to viewer, operator or admin. `scopes`: what the token was
    asked for; empty means no limit beyond the roles. `token_id` names the token in logs and is no secret;
    `proof` says what kind of token it was.
    `keys` are the caller's own to a cloud, for those who signed in with such: their `kind` is "cloud".
    """

    email: str
    kind: str
    roles: Mapping[str, str]
    scopes: frozenset[str]
    token_id: str
    proof: str = "access token"
    keys: Keys | None = None

    def owns(self, tenancy: str) -> bool:
        """Whether what is kept under this name belongs to the caller's own account of a cloud."""
        return self.keys is not None and self.keys.owns(tenancy)
