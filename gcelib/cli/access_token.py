"""An access token for a service account's key file, as RFC 7523 has it, or for a caller's own keys to a cloud."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import jwt

from gcelib.errors import Fault, Invalid, Unauthenticated, Unavailable

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/compute"
LIFETIME = 3600
"""Seconds that the assertion, and with it the token, may live."""


def fetch(key_file: Path, ca_file: Path | None = None, scope: str = SCOPE) -> str:
    """An access token for the key's account, from the key's own token_uri.

    Raises Invalid for a key file that is none, Unauthenticated when the server refuses it, Unavailable
    when the server cannot be reached.
    """
    key = _key(key_file)
    now = int(time.time())
    claims = {"iss": key["client_email"], "sub": key["client_email"], "aud": key["token_uri"],
              "scope": scope, "iat": now, "exp": now + LIFETIME}
    try:
        headers = {"kid": str(key.get("private_key_id", ""))}
        signed = jwt.encode(claims, key["private_key"], "RS256", headers=headers)
    except (ValueError, jwt.InvalidKeyError):
        raise Invalid(f"{key_file}: its private_key is not an RSA key in PEM; make a new key file.") from None
    return _exchange(key["token_uri"], {"grant_type": GRANT, "assertion": signed}, ca_file)


def fetch_with_keys(token_uri: str, key: str, secret: str, ca_file: Path | None = None) -> str:
    """An access token for a caller's own keys ("KEY", or "CLOUD:KEY"); raises as `fetch` does."""
    asked = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret, "scope": SCOPE}
    return _exchange(token_uri, asked, ca_file)


def _key(path: Path) -> dict[str, Any]:
    try:
        key = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        key = None
    needed = ("client_email", "private_key", "token_uri")
    if not isinstance(key, dict) or not all(isinstance(key.get(each), str) for each in needed):
        raise Invalid(f"{path} is not a service account's key file, which holds {', '.join(needed)} as JSON; "
                      "make one with: gcelib account create-service NAME --key-file F")
    if not key["token_uri"].startswith(("https://", "http://")):
        raise Invalid(f"{path}: its token_uri is not an http(s) URL; make a new key file.")
    return key


def _exchange(token_uri: str, asked: dict[str, str], ca_file: Path | None) -> str:
    body = urllib.parse.urlencode(asked).encode()
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        with urllib.request.urlopen(token_uri, body, timeout=30, context=context) as answer:
            token = json.loads(answer.read(1_000_000))["access_token"]
    except urllib.error.HTTPError as error:
        raise _refusal(token_uri, error) from None
    except urllib.error.URLError as error:
        raise Unavailable(f"{token_uri} cannot be reached: {error.reason}. Is the server running, and is "
                          "--ca-file the certificate of its CA?") from None
    except (ValueError, KeyError, TypeError):
        raise Unavailable(f"{token_uri} answered something that is not a token.") from None
    return str(token)


def _refusal(token_uri: str, error: urllib.error.HTTPError) -> Fault:
    with error:
        try:
            said = json.loads(error.read(1_000_000))
            words = f"{said['error']}: {said.get('error_description', 'no more was said')}"
        except (ValueError, KeyError, TypeError, AttributeError):
            words = f"HTTP {error.code}"
    if error.code >= 500:
        return Unavailable(f"{token_uri} failed: {words}")
    return Unauthenticated(f"{token_uri} refused the key: {words}")
