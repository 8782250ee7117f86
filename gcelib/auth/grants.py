"""The ways to a token: oauthlib's code grant made strict, and service accounts' signed requests."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import json
import re
from typing import Any

from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import (
    AuthorizationCodeGrant,
    code_challenge_method_s256,
)
from oauthlib.oauth2.rfc6749.grant_types.base import GrantTypeBase
from oauthlib.oauth2.rfc6749.grant_types.client_credentials import ClientCredentialsGrant

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class StrictCodeGrant(AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749 4.1) with S256 as PKCE's only method (RFC 7636)."""

    _code_challenge_methods = {"S256": code_challenge_method_s256}  # noqa: RUF012 - oauthlib's own attribute

    def validate_authorization_request(self, request: Any) -> Any:
        """As oauthlib does, and the challenge must look like one: no other could ever be met."""
        checked = super().validate_authorization_request(request)
        if request.code_challenge and not _CHALLENGE.fullmatch(request.code_challenge):
            raise errors.InvalidRequestError(
                description="code_challenge is not the S256 hash of a verifier.", request=request
            )
        return checked


class OwnKeysGrant(ClientCredentialsGrant):
    """The client credentials grant (RFC 6749 4.4), where callers may bring their own keys to a cloud."""

    def validate_token_request(self, request: Any) -> None:
        """As oauthlib does; a server that takes no keys does not offer it."""
        validator: Any = self.request_validator
        if not validator.takes_keys():
            raise errors.UnsupportedGrantTypeError(request=request)
        super().validate_token_request(request)


class JwtBearerGrant(GrantTypeBase):
    """A token for an assertion that a service account signed (RFC 7523 2.1, as Google's libraries use it)."""

    refresh_token = False

    def create_token_response(self, request: Any, token_handler: Any) -> tuple[dict[str, str], str, int]:
        """Headers, body and status of the answer."""
        headers: dict[str, str] = self._get_default_headers()
        validator: Any = self.request_validator
        try:
            assertion = getattr(request, "assertion", None)
            if not assertion:
                raise errors.InvalidRequestError(description="Missing assertion parameter.", request=request)
            validator.validate_assertion(assertion, request)
        except errors.OAuth2Error as error:
            return headers, error.json, error.status_code
        token = token_handler.create_token(request, refresh_token=False)
        validator.save_token(token, request)
        return headers, json.dumps(token), 200
