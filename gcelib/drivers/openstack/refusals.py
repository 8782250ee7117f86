"""What OpenStack means when it refuses: its status codes are the same for many things, its words are not.

409 is "exists", "in use", "not in this state" and "no quota left" alike; 403 and 413 are no quota, 400 may be a wrong
state. The words are those of Nova, Neutron, Cinder and Glance, and have been the same for years.
"""

from __future__ import annotations

import html
import re

from libcloud.common.exceptions import BaseHTTPError

from gcelib.drivers.faults import At, Refusal, Strange
from gcelib.drivers.redaction import redact
from gcelib.errors import (
    Exceeded,
    Exists,
    Fault,
    Forbidden,
    InUse,
    NoCapacity,
    NotFound,
    NotReady,
    Refused,
    TooMany,
    Unavailable,
    Uncertain,
    Unsupported,
)

WORDS: tuple[tuple[str, type[Fault]], ...] = (
    (r"no valid host|not enough hosts|no more ip addresses|insufficient", NoCapacity),
    (r"quota|limit exceeded|exceeds? (the )?(allowed|maximum)|overlimit", Exceeded),
    (r"while it is in (vm|task)_state|is locked|status must be|must be (in )?(available|active|shutoff)|not in a state"
     r"|invalid (status|state)|is not ready|in an invalid state|expecting .* status", NotReady),
    (r"already exists|already associated|duplicate", Exists),
    (r"in use|still in use|is attached|currently attached|already allocated|one or more ports|has dependent"
     r"|must be detached|have \d+ snapshots", InUse),
)
"""What a refusal (400, 403, 409, 413, 500) is if it says this; the first that fits."""
BY_WORDS = frozenset({400, 403, 409, 413, 500})
CODES: dict[int, type[Fault]] = {
    401: Forbidden, 403: Forbidden, 404: NotFound, 405: Unsupported, 413: Exceeded, 429: TooMany, 501: Unsupported,
    503: Unavailable,
}
"""What a status is whose words say nothing; others are Refused below 500."""
SAYING: tuple[tuple[type[Fault], str], ...] = (
    (NoCapacity, "has no room now for"), (Exceeded, "has no quota left for"), (Forbidden, "does not allow"),
    (Unsupported, "does not offer"), (Unavailable, "could not carry out"),
)
_TAGS = re.compile(r"<[^>]*>")


class NoProject(NotFound):
    """The user is in no project of the name that was asked for: not said of a list, but before one was asked for."""


def fault_of(exc: BaseHTTPError, at: At, what: str, *, writes: bool) -> Fault:
    """The fault that an error answer is; its cause keeps code and words.

    A change that ended in the middle of an error of the cloud's own (500, 502, 504) is Uncertain.
    """
    code, text = int(exc.code), plain(str(exc.message))
    kind = kind_of(code, text, writes=writes)
    saying = next((words for each, words in SAYING if issubclass(kind, each)), "refused")
    words = redact(text.removeprefix(f"{code} "), at.secrets) or "no reason given"
    fault = kind(f"{at} {saying} {what} ({code}): {words}")
    if isinstance(fault, TooMany | Unavailable):
        fault.retry_after = _seconds(exc) or fault.retry_after or 5
    fault.__cause__ = Refusal(code, text, what)
    return fault


def kind_of(code: int, text: str, *, writes: bool) -> type[Fault]:
    """What kind of refusal a status with these words is."""
    if code in BY_WORDS:
        for words, kind in WORDS:
            if re.search(words, text, re.IGNORECASE):
                return kind
    if code in CODES:
        return CODES[code]
    if code >= 500:
        return Uncertain if writes else Unavailable
    return Refused


def plain(text: str) -> str:
    """Words without HTML, which Glance and proxies answer in."""
    return " ".join(html.unescape(_TAGS.sub(" ", text)).split())


def _seconds(exc: BaseHTTPError) -> int:
    said = str((exc.headers or {}).get("retry-after", ""))
    return int(said) if said.isdigit() else 0


def garbled(at: At, what: str) -> Unavailable:
    """The fault for an answer that is not what the API promises."""
    return Strange(f"{at} answered something that is not an answer of its API ({redact(what, at.secrets)}).")
