"""Where an authorization code may be sent: to a program on this machine, or before the eyes of its user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

SHOWN = frozenset({"urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob:auto"})
"""No redirect at all: our page shows the code, and the user carries it to the program."""

GCLOUD_PAGE = "https://sdk.cloud.google.com/authcode.html"
"""Google's page that shows the code for gcloud; whoever sees it there needs PKCE's verifier to use it."""

_LOOPBACK = re.compile(
    r"(?P<origin>http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?)"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)


def is_allowed(uri: str) -> bool:
    """Whether codes may go there (RFC 8252: loopback on any port), whichever client asks."""
    return uri in SHOWN or uri == GCLOUD_PAGE or bool(_LOOPBACK.fullmatch(uri))


def joined(uri: str, told: Mapping[str, str]) -> str:
    """The redirect with these parameters."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(told)}"


def with_issuer(location: str, issuer: str) -> str:
    """An answer's redirect that says who gave it (RFC 9207), so that no client takes it for another server's."""
    return joined(location, {"iss": issuer})


def origin(uri: str) -> str:
    """What a Content-Security-Policy must name for a form to end at this redirect; "" for nothing."""
    if uri == GCLOUD_PAGE:
        return "https://sdk.cloud.google.com"
    match = _LOOPBACK.fullmatch(uri)
    if not match:
        return ""
    # The policy's grammar has no IPv6 addresses.
    return "http:" if "[" in match["origin"] else match["origin"]
