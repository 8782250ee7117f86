"""Failures of libcloud, of HTTP and of the clouds, named as gcelib's faults: the one table inward.

Codes are CloudStack's (its API guide, "error codes"); everything else is what `requests` and libcloud raise.
A message always names the cloud and keeps the cloud's own words, cut to a bound and without secrets.
"""

from __future__ import annotations

import re
import ssl
import traceback
from dataclasses import dataclass
from typing import Any

import requests
from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError, ProviderError
from libcloud.compute.types import KeyPairDoesNotExistError
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from gcelib.drivers import clock
from gcelib.drivers.redaction import redact
from gcelib.errors import (
    Bug,
    Exceeded,
    Exists,
    Fault,
    Forbidden,
    InUse,
    NoCapacity,
    NotFound,
    Refused,
    TooMany,
    Unavailable,
    Uncertain,
    Unsupported,
)

LONGEST_WAIT = 600
"""Seconds that a cloud can ask its callers to stay away."""


class Refusal(Exception):
    """A cloud's own error answer: CloudStack's `errorcode`, its `errortext`, and the command it was for."""

    def __init__(self, code: int, words: str, command: str) -> None:
        super().__init__(f"{command}: {code} {words}")
        self.code = code
        self.words = words
        self.command = command


class Garbled(Exception):
    """An answer that is not what the cloud's API promises; `what` says what it was instead.

    `refused`: the HTTP status shows that nothing was carried out.
    """

    def __init__(self, what: str, *, refused: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.refused = refused


@dataclass(frozen=True, slots=True)
class At:
    """Where a failure happened, for its message; `secrets` are cut out of every text."""

    cloud: str
    provider: str
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"At({self.cloud!r}, {self.provider!r})"

    def __str__(self) -> str:
        return f"Cloud '{self.cloud}' ({self.provider})"


CODES: dict[int, type[Fault]] = {
    400: Refused,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    405: Unsupported,
    409: Exists,
    413: Refused,
    422: Refused,
    429: TooMany,
    430: Refused,
    431: Refused,
    432: Unsupported,
    501: Unsupported,
    511: Unavailable,
    530: Refused,
    531: Forbidden,
    532: Exceeded,
    533: NoCapacity,
    534: Unavailable,
    535: Exceeded,
    536: InUse,
    537: Refused,
}
"""What a code of a cloud's own error answer means; others are Unavailable from 500 on, Refused below."""


def cloud_code(fault: BaseException) -> int:
    """The cloud's own code behind a fault; 0 when the cloud did not answer with one."""
    return fault.__cause__.code if isinstance(fault.__cause__, Refusal) else 0


def from_code(at: At, code: int, words: str, what: str, *, writes: bool = False, retry_after: int = 0) -> Fault:
    """The fault for a cloud's error code; the refusal is its cause, so that `cloud_code` finds it.

    CloudStack's 530 is "something failed inside": a refusal of a change, but of a read only an outage.
    """
    words = redact(words, at.secrets) or "no reason given"
    kind = CODES.get(code, Unavailable if code >= 500 else Refused)
    if code == 530 and not writes:
        kind = Unavailable
    fault = kind(f"{at} {saying(kind)} {what} ({code}): {words}")
    if isinstance(fault, TooMany | Unavailable):
        fault.retry_after = retry_after or fault.retry_after or 5
    fault.__cause__ = Refusal(code, words, what)
    return fault


def saying(kind: type[Fault]) -> str:
    """What a cloud did that ended in this kind of fault: the verb of a sentence."""
    if issubclass(kind, NoCapacity):
        return "has no room now for"
    if issubclass(kind, Exceeded):
        return "has no quota left for"
    if issubclass(kind, Forbidden):
        return "does not allow"
    if issubclass(kind, Unsupported):
        return "does not offer"
    if issubclass(kind, Unavailable):
        return "could not carry out"
    return "refused"


class _Answered(Unavailable):
    """The cloud is there, and of no use."""

    def to_data(self) -> dict[str, Any]:
        """As what it is to everybody else."""
        return {**super().to_data(), "kind": Unavailable.__name__}


class Rejected(_Answered):
    """The cloud answers, and takes no request of ours."""


class Strange(_Answered):
    """Something answers at the cloud's address, and it is not the cloud's API."""


def keys_refused(at: At) -> Unavailable:
    """The cloud does not take the keys that the daemon owns: nothing the caller can mend."""
    return Rejected(
        f"{at} refused gcelib's own keys; check key and secret of [clouds.{at.cloud}], and the clock."
        f"{clock.said(at.cloud)}", retry_after=60,
    )


def untimely(at: At, words: str) -> Unavailable:
    """The cloud takes requests for too old or too new: nothing the caller can mend, whoever's the keys are."""
    told = redact(words, at.secrets) or "no reason given"
    return Rejected(
        f"{at} takes gcelib's requests for those of another time ({told}); check the clocks of this machine and of the "
        f"cloud.{clock.said(at.cloud)}", retry_after=60,
    )


def _lost(
    at: At, what: str, why: str, writes: bool, retry_after: int = 5, kind: type[Unavailable] = Unavailable
) -> Fault:
    if writes:
        return Uncertain(
            f"{at} was sent {what}, and {why}: whether it was carried out is not known yet.",
            retry_after=retry_after,
        )
    return kind(f"{at} does not serve {what} now: {why}. Try again later.", retry_after=retry_after)


def _never_sent(exc: BaseException) -> bool:
    """True when the request certainly did not leave: no connection was made."""
    if isinstance(exc, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    inner = exc.args[0] if exc.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    if isinstance(reason, NewConnectionError | NameResolutionError):
        return True
    return "CERTIFICATE_VERIFY_FAILED" in str(reason)


def _tls(words: str) -> str:
    """What is wrong with a certificate, as OpenSSL says it."""
    bad = re.search(r"certificate verify failed: ([^()]{1,200}?)[. ]*\(_ssl", words)
    return f"its certificate is not trusted: {bad[1]}" if bad else "the TLS connection failed"


def _network(at: At, exc: Exception, what: str, writes: bool) -> Fault:
    """Everything `requests`, TLS and sockets raise."""
    sent = writes and not _never_sent(exc)
    if isinstance(exc, requests.exceptions.SSLError | ssl.SSLError):
        return _lost(at, what, f"{_tls(str(exc))} (check the endpoint and ca_file)", sent, 30)
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return _lost(at, what, "no connection within the time allowed", False)
    if isinstance(exc, requests.exceptions.Timeout | TimeoutError):
        return _lost(at, what, "no answer came within the time allowed", sent)
    if isinstance(exc, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return _lost(at, what, "its answer broke off in the middle", sent)
    if _never_sent(exc):
        return _lost(at, what, "it cannot be reached (name, address or port)", False)
    if isinstance(exc, requests.exceptions.ConnectionError | ConnectionError):
        return _lost(at, what, "the connection was cut before the answer", sent)
    return _lost(at, what, f"the connection failed ({type(exc).__name__})", sent)


def _libcloud(at: At, exc: BaseException, what: str, writes: bool) -> Fault | None:
    """Everything libcloud itself raises; None for others."""
    if isinstance(exc, InvalidCredsError):
        return from_code(at, 401, str(exc.value), what, writes=writes)
    if isinstance(exc, RateLimitReachedError):
        return from_code(at, 429, "too many calls", what, writes=writes, retry_after=_seconds(exc.retry_after))
    if isinstance(exc, BaseHTTPError):
        wait = next((value for key, value in (exc.headers or {}).items() if key.lower() == "retry-after"), 0)
        code = _code(exc.code) or 503
        return from_code(at, code, str(exc.message), what, writes=writes, retry_after=_seconds(wait))
    if isinstance(exc, KeyPairDoesNotExistError):
        return from_code(at, 404, "no such key pair", what, writes=writes)
    if isinstance(exc, MalformedResponseError):
        return _lost(at, what, "its answer is not what its API promises", writes, kind=Strange)
    if isinstance(exc, ProviderError):
        return from_code(at, _code(exc.http_code) or 503, str(exc.value), what, writes=writes)
    if isinstance(exc, LibcloudError):
        return from_code(at, 430, str(getattr(exc, "value", "")), what, writes=writes)
    if isinstance(exc, NotImplementedError):
        return Unsupported(f"{at} does not offer {what}: libcloud's driver has no such call.")
    return None


def _seconds(value: object) -> int:
    """A Retry-After as whole seconds; 0 for one that is a date, or nothing."""
    text = str(value or "")
    return min(int(float(text)), LONGEST_WAIT) if re.fullmatch("[0-9]{1,9}([.][0-9]*)?", text) else 0


def _code(value: object) -> int:
    """An HTTP status among what a driver's exception says; 0 where it is none."""
    text = str(int(value) if isinstance(value, int) else value)
    return int(text) if re.fullmatch("[45][0-9][0-9]", text) else 0


def _drivers_own(at: At, exc: BaseException, what: str, writes: bool) -> Fault:
    """What a driver raises for itself: its own kinds and bare exceptions say what its cloud said, others that it broke.

    What comes out of gcelib's own code is a Bug.
    """
    frames = [frame for frame, _ in traceback.walk_tb(exc.__traceback__)]
    if type(exc) is not Exception and (not frames or frames[-1].f_globals.get("__name__", "").startswith("gcelib.")):
        return Bug(f"gcelib failed in {what} on {at}: {type(exc).__name__}.")
    if type(exc).__module__ == "builtins" and type(exc) is not Exception:
        said = redact(str(exc), at.secrets)
        return _lost(at, what, f"libcloud's driver broke ({type(exc).__name__}: {said})", writes)
    codes = (_code(getattr(exc, name, None)) for name in ("http_code", "status_code", "status", "code"))
    return from_code(at, next(filter(None, codes), 530), str(exc), what, writes=writes)


def name(exc: BaseException, at: At, what: str, *, writes: bool) -> Fault:
    """The fault that an exception is. `what` is the call as the cloud names it; `writes`: it is a change.

    A change whose answer was lost is Uncertain, unless it certainly was never sent.
    """
    if isinstance(exc, Fault):
        return exc
    if isinstance(exc, Refusal):
        return from_code(at, exc.code, exc.words, what, writes=writes)
    if isinstance(exc, Garbled):
        why = f"it answered something that is not an answer of its API ({redact(exc.what, at.secrets)})"
        return _lost(at, what, why, writes and not exc.refused, kind=Strange)
    known = _libcloud(at, exc, what, writes)
    if known is not None:
        return known
    if isinstance(exc, OSError):
        return _network(at, exc, what, writes)
    if isinstance(exc, LookupError | AttributeError | TypeError | ValueError | RecursionError):
        return _lost(at, what, f"its answer could not be understood ({type(exc).__name__})", writes)
    return _drivers_own(at, exc, what, writes)


def breaks_driver(exc: BaseException) -> bool:
    """Whether the libcloud driver that raised this may be left in a state not to be used again."""
    if isinstance(exc, Refusal | Fault | ProviderError | BaseHTTPError):
        return False
    inside = LookupError | AttributeError | TypeError | ValueError
    return isinstance(exc, OSError | Garbled | LibcloudError | inside)
