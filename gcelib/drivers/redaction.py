"""Takes secrets out of texts that come from clouds and drivers, however they are encoded there."""

from __future__ import annotations

import base64
import functools
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

WORDS_LIMIT = 400
SHORTEST = 4
"""Characters of a secret; a shorter one would be found inside of ordinary words."""

_SECRET_PAIR = re.compile(
    r"(?i)\b(api_?key|signature|secret(?:_?key)?|session_?key|password|passwd|token|authorization|x-auth-token)"
    r"(\"?\s*[=:]\s*\"?)(?:bearer\s+|basic\s+)?[^\s&\"',;)]+"
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\s]+")


@functools.lru_cache(maxsize=64)
def _spelt(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Finds secrets as they are, in any letter case (CloudStack signs them in lower case), and encoded for URLs,
    HTML, JSON or in base64."""
    forms = {form for secret in secrets for form in _forms(secret)}
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None


def _forms(secret: str) -> set[str]:
    whole = quote(secret, safe="")
    encoded = {secret, whole, quote(secret), quote_plus(secret), quote(whole)}
    # Java's own encoder, CloudStack's, differs from everybody else's.
    encoded.add(whole.replace("~", "%7E").replace("%2A", "*"))
    encoded |= {html.escape(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    return encoded | {secret.replace("/", "\\/"), base64.b64encode(secret.encode()).decode().rstrip("=")}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text on one line, without secrets, however an answer has them encoded, at most WORDS_LIMIT characters."""
    found = _spelt(tuple(secret for secret in secrets if len(secret) >= SHORTEST))
    if found is not None:
        text = found.sub("[hidden]", text)
    text = _UNPRINTABLE.sub(" ", _SECRET_PAIR.sub(r"\1\2[hidden]", text)).strip()
    return text if len(text) <= WORDS_LIMIT else text[: WORDS_LIMIT - 1] + "…"
