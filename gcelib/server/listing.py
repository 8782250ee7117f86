"""Order, filter and page: which rows of a list one answer holds, and the token that leads on."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gcelib.errors import Invalid
from gcelib.server.filters import compile_filter

Row = tuple[str, dict[str, Any]]
Key = list[Any]

MAX_RESULTS = 500
BY_NAME = "name"
NEWEST_FIRST = "creationTimestamp desc"
_NONCE = 12
_LONGEST_TOKEN = 4096


class Sealer:
    """Seals small JSON values so that clients can carry but neither read nor change them (AES-256-GCM)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"gcelib page token\0" + key).digest())
        self._nonces = hashlib.sha256(b"gcelib page token nonce\0" + key).digest()

    def seal(self, data: dict[str, Any]) -> str:
        """A URL-safe text that only a holder of the same key opens; equal values give equal texts, so that a page
        that has not changed is the same answer."""
        text = json.dumps(data, sort_keys=True).encode()
        # Two values never share a nonce: it is made of the value under a key of its own.
        nonce = hmac.digest(self._nonces, text, "sha256")[:_NONCE]
        sealed = nonce + self._cipher.encrypt(nonce, text, None)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, text: str) -> dict[str, Any]:
        """What was sealed; raises `Invalid` for anything else."""
        if len(text) > _LONGEST_TOKEN:
            raise _bad_token("it is none of ours")
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            raw = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (binascii.Error, ValueError, InvalidTag):
            raise _bad_token("it is none of ours") from None
        data: dict[str, Any] = json.loads(raw)
        return data


@dataclass(frozen=True, slots=True)
class Page:
    """One answer's rows, in order; `next_token` is "" on the last page."""

    items: list[Row]
    next_token: str


def page(
    rows: Iterable[Row],
    *,
    filter: str = "",
    order_by: str = "",
    max_results: int = MAX_RESULTS,
    page_token: str = "",
    sealer: Sealer,
    binding: str,
) -> Page:
    """The page of `rows` that follows `page_token`.

    `rows` are (scope key, rendered resource with `name` and `id`) pairs, unique by name, scope and id.
    `binding` says which list of which caller this is. A token holds the last row's key, so rows that stay
    are neither repeated nor skipped while others come and go; it is refused with another binding, filter or
    order. `max_results` is 0..500; with 0 the page is empty and its token leads to the same place. Raises
    `Invalid` naming the parameter.
    """
    if not 0 <= max_results <= MAX_RESULTS:
        raise Invalid(
            f"Invalid value for field 'maxResults': '{max_results}'. Must be between 0 and {MAX_RESULTS}.",
            field="maxResults",
        )
    order = " ".join(order_by.split()) or BY_NAME
    key = _order(order)
    matches = compile_filter(filter)
    origin = hashlib.sha256("\0".join((binding, filter.strip(), order)).encode()).hexdigest()[:32]
    after = _start(page_token, origin, sealer)
    keyed = ((key(row), row) for row in rows)
    left = sorted((pair for pair in keyed if after is None or pair[0] > after), key=lambda pair: pair[0])
    items: list[Row] = []
    last = after
    for place, row in left:
        if not matches(row[1]):
            continue
        if len(items) == max_results:
            return Page(items, sealer.seal({"after": last, "origin": origin}))
        items.append(row)
        last = place
    return Page(items, "")


def _start(page_token: str, origin: str, sealer: Sealer) -> Key | None:
    if not page_token:
        return None
    data = sealer.open(page_token)
    if data.get("origin") != origin:
        raise _bad_token("it was issued for another list, filter or order")
    after: Key | None = data["after"]
    return after


def _order(order: str) -> Callable[[Row], Key]:
    if order == BY_NAME:
        return _by_name
    if order == NEWEST_FIRST:
        return lambda row: [-_microseconds(row[1]), *_by_name(row)]
    raise Invalid(
        f"Invalid value for field 'orderBy': '{order[:200]}'. Must be '{BY_NAME}' or '{NEWEST_FIRST}'.",
        field="orderBy",
    )


def _by_name(row: Row) -> Key:
    scope, resource = row
    return [str(resource.get("name", "")), scope, str(resource.get("id", ""))]


def _microseconds(resource: Mapping[str, Any]) -> int:
    """When the resource was made, an operation begun; one that does not say counts as the oldest."""
    text = resource.get("creationTimestamp") or resource.get("insertTime")
    if not text:
        return 0
    moment = datetime.datetime.fromisoformat(text)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - epoch) // datetime.timedelta(microseconds=1)


def _bad_token(why: str) -> Invalid:
    return Invalid(f"Invalid value for field 'pageToken': {why}. Start again without it.", field="pageToken")
