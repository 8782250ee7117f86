"""What a client is, where it may have codes sent, and what it may ask for: the same for every client."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import base64
import binascii
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_plus

from oauthlib.oauth2.rfc6749.request_validator import RequestValidator

from gcelib.auth import redirects
from gcelib.auth.callers import Callers
from gcelib.auth.digests import digest

DEFAULT_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

_HIDDEN = "keys:"
_CLIENT = re.compile(r"[\x21-\x7e]{1,256}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")


class ClientRules(RequestValidator):
    """Answers about clients.

    Every client is public – the ids and secrets built into gcutil and gcloud are known to the world, so they
    prove nothing – but those whose id and secret are a caller's own keys to a cloud (`callers`, None where no
    project takes such): the cloud is asked about these each time.
    """

    def __init__(self, callers: Callers | None) -> None:
        super().__init__()
        self._callers = callers

    # Clients

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """To introspect, for a stranger learns nothing about tokens; and of a client that is a caller's key."""
        if request.uri.endswith("/oauth2/introspect"):
            return True
        revoking = request.uri.endswith("/oauth2/revoke")
        return not revoking and bool(self._callers) and self.is_key(_named(request)[0])

    def takes_keys(self) -> bool:
        """Whether callers may sign in with their own keys to a cloud."""
        return self._callers is not None and bool(self._callers.clouds())

    def is_key(self, client_id: str) -> bool:
        """Whether this client id is a caller's own key to a cloud."""
        return self._callers is not None and self._callers.is_key(client_id)

    def authenticate_keys(self, request: Any) -> bool:
        """Prove the client's id and secret with the cloud; `request.keyed` tells whose they are."""
        client_id, secret = _named(request)
        remote, cloud = request.headers.get("Remote", ""), getattr(request, "cloud", "")
        proved = self._callers.check(client_id, secret, remote, cloud) if self._callers else None
        if proved is None:
            return False
        request.keyed = proved
        return self.validate_client_id(client_id, request)

    def client_name(self, client_id: str) -> str:
        """What a client is called in the store: a caller's key is no secret, but nothing to leave lying about."""
        return hidden(client_id) if self.is_key(client_id) else client_id

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Any printable id."""
        request.client = SimpleNamespace(client_id=client_id)
        return bool(_CLIENT.fullmatch(client_id))

    def authenticate_client_id(self, client_id: str | None, request: Any, *args: Any, **kwargs: Any) -> bool:
        """The client as it names itself, in the form or in HTTP Basic."""
        named = client_id or _named(request)[0]
        if not named and request.token is not None:
            named = "-"  # RFC 7009: whoever holds a token may end it.
        return bool(named) and self.validate_client_id(named, request)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Whatever is offered at all, to everyone."""
        return grant_type in ("authorization_code", "refresh_token", "client_credentials")

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


def hidden(key: str) -> str:
    """A caller's key as a name that cannot be used as a key."""
    return f"{_HIDDEN}{digest(key)[:32]}"


def is_hidden(name: str) -> bool:
    """Whether a client's name in the store is a caller's key, whose secret has to be shown each time."""
    return name.startswith(_HIDDEN)


def _named(request: Any) -> tuple[str, str]:
    """Id and secret of a client, from the form or from HTTP Basic (RFC 6749 2.3.1)."""
    if request.client_id:
        return str(request.client_id), str(request.client_secret or "")
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(user), unquote_plus(password)
