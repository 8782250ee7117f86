"""What a client is, where it may have codes sent, and what it may ask for: the same for every client."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import base64
import binascii
import re
from types import SimpleNamespace
from typing import Any

from oauthlib.oauth2.rfc6749.request_validator import RequestValidator

from gcelib.auth import redirects

DEFAULT_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

_CLIENT = re.compile(r"[\x21-\x7e]{1,256}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")


class ClientRules(RequestValidator):
    """Answers that need no store.

    Every client is public: the ids and secrets built into gcutil and gcloud are known to the world, so
    they prove nothing.
    """

    # Clients

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Any printable id."""
        request.client = SimpleNamespace(client_id=client_id)
        return bool(_CLIENT.fullmatch(client_id))

    def authenticate_client_id(self, client_id: str | None, request: Any, *args: Any, **kwargs: Any) -> bool:
        """The client as it names itself, in the form or in HTTP Basic."""
        named = client_id or _basic_user(request.headers.get("Authorization", ""))
        if not named and request.token is not None:
            named = "-"  # RFC 7009: whoever holds a token may end it.
        return bool(named) and self.validate_client_id(named, request)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Whatever is offered at all, to everyone."""
        return grant_type in ("authorization_code", "refresh_token")

    # Asking for a code

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Loopback, out-of-band, and gcloud's page."""
        return redirects.is_allowed(redirect_uri)

    def get_default_redirect_uri(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """None: a client must say where it listens."""

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Codes only."""
        return response_type == "code"

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        """Where the code leaves this machine and the user's eyes; clients of 2014 know no PKCE."""
        return bool(request.redirect_uri == redirects.GCLOUD_PAGE)

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        """Everything the account may do."""
        return [DEFAULT_SCOPE]

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Any well-formed scopes: what they open here is the policy's matter."""
        return len(scopes) <= 64 and all(_SCOPE.fullmatch(scope) for scope in scopes)


def _basic_user(header: str) -> str:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
