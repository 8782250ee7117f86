"""Order, filter and page: which rows of a list one answer holds, and the token that leads on."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gcelib.errors import Invalid
from gcelib.server.filters import compile_filter
from gcelib.server.rows import BY_NAME, NEWEST_FIRST, Key, Look, Row, Rows

Pair = tuple[str, dict[str, Any]]

MAX_RESULTS = 500
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

    items: list[Pair]
    next_token: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows a client wants. `binding` says which list of which caller this is.

    A token holds the last row's key, so rows that stay are neither repeated nor skipped while others come and go; it
    is refused with another binding, filter or order.
    """

    filter: str = ""
    order_by: str = ""
    max_results: int = MAX_RESULTS
    page_token: str = ""
    binding: str = ""

    @property
    def order(self) -> str:
        """The order in one spelling. Raises `Invalid` for one there is not."""
        order = " ".join(self.order_by.split()) or BY_NAME
        if order in (BY_NAME, NEWEST_FIRST):
            return order
        raise Invalid(
            f"Invalid value for field 'orderBy': '{order[:200]}'. Must be '{BY_NAME}' or '{NEWEST_FIRST}'.",
            field="orderBy",
        )

    @property
    def origin(self) -> str:
        """What a token must have been given for."""
        return hashlib.sha256("\0".join((self.binding, self.filter.strip(), self.order)).encode()).hexdigest()[:32]


def cut(rows: Rows, look: Look, asked: Asked, sealer: Sealer) -> tuple[list[Row], str]:
    """The rows of one page, and the token that leads on, "" on the last page.

    `max_results` is 0..500; with 0 the page is empty and its token leads to the same place. Raises `Invalid` naming
    the parameter.
    """
    most, order = asked.max_results, asked.order
    if not 0 <= most <= MAX_RESULTS:
        raise Invalid(
            f"Invalid value for field 'maxResults': '{most}'. Must be between 0 and {MAX_RESULTS}.", field="maxResults"
        )
    matches = compile_filter(asked.filter)
    passes = rows.passing(matches, look) if matches.fields else _all
    after = _start(asked.page_token, asked.origin, sealer) if asked.page_token else None
    ordered = rows.ordered(order, look)
    items: list[Row] = []
    for row in islice(ordered, 0 if after is None else rows.after(order, after, look), None):
        if not passes(row):
            continue
        if len(items) == most:
            last = rows.key(order, items[-1], look) if items else after
            return items, sealer.seal({"after": last, "origin": asked.origin})
        items.append(row)
    return items, ""


def page(pairs: Iterable[Pair], asked: Asked, sealer: Sealer) -> Page:
    """The page of resources that are rendered already: (scope key, resource with `name` and `id`) pairs, unique by
    name, scope and id. Faults as `cut`."""
    plain = Rows((Row(scope, str(resource.get("name", "")), resource) for scope, resource in pairs), plain=True)
    items, token = cut(plain, Look(whole=lambda scope, resource: resource), asked, sealer)
    return Page([(row.scope, row.item) for row in items], token)


def _all(row: Row) -> bool:
    return True


def _start(page_token: str, origin: str, sealer: Sealer) -> Key | None:
    data = sealer.open(page_token)
    if data.get("origin") != origin:
        raise _bad_token("it was issued for another list, filter or order")
    after: Key | None = data["after"]
    return after


def _bad_token(why: str) -> Invalid:
    return Invalid(f"Invalid value for field 'pageToken': {why}. Start again without it.", field="pageToken")
