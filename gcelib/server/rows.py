"""The rows of one list: put in order by what is known of them at once, rendered when somebody has to see them."""

from __future__ import annotations

import datetime
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

import msgspec

from gcelib.server import conditional
from gcelib.server.filters import Filter

Rendered = dict[str, Any]
Key = list[Any]
"""Where a row stands in its list, as JSON values: when it was made if that is the order, name, scope, id."""

BY_NAME = "name"
NEWEST_FIRST = "creationTimestamp desc"
ROOM = 4 << 20
"""Bytes that the answers made of one list may fill: three or four of the longest pages."""
BESIDE = 512
"""Bytes that a kept answer takes beside its own and those of its question."""
_MADE, _ID = frozenset({"creationTimestamp", "insertTime"}), frozenset({"id"})
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """How the things of a list look to one request. Everything is called with the scope and the thing.

    `whole` renders one; `known` has the fields of it that are told without rendering the rest. `sound` says whether
    what was rendered so far may be shown to others: it may not when a cloud was missing.
    """

    whole: Callable[[str, Any], Rendered]
    known: Mapping[str, Callable[[str, Any], Any]] = field(default_factory=dict)
    sound: Callable[[], bool] = lambda: True


class Row:
    """One thing of a list; `text` is its JSON once somebody has seen it, b"" before."""

    __slots__ = ("item", "name", "scope", "text")

    def __init__(self, scope: str, name: str, item: Any, text: bytes = b"") -> None:
        self.scope, self.name, self.item, self.text = scope, name, item, text

    def json(self, look: Look) -> bytes:
        """The thing as JSON, rendered once."""
        if self.text:
            return self.text
        text = msgspec.json.encode(look.whole(self.scope, self.item))
        if look.sound():
            self.text = text
        return text


class Kept:
    """An answer that is given again: its JSON and the entity tag of it."""

    __slots__ = ("encoded", "tag")

    def __init__(self, answer: Any) -> None:
        self.encoded = msgspec.json.encode(answer)
        self.tag = conditional.tag(self.encoded)


class Answers:
    """Answers by what was asked; the oldest go when there is no room for a new one. Safe for threads."""

    def __init__(self) -> None:
        self._kept: dict[Any, Kept] = {}
        self._room = ROOM
        self._lock = threading.Lock()

    @property
    def weight(self) -> int:
        """How many rows' room they take at most, about."""
        return ROOM // 2048

    def answer(self, question: Any, make: Callable[[], Any], sound: Callable[[], bool]) -> Any:
        """The answer to a question put before, else `make()`, kept if it is `sound` then."""
        found = self._kept.get(question)
        if found is not None:
            return found
        made = make()
        if not sound():
            return made
        kept = Kept(made)
        with self._lock:
            if question not in self._kept:
                self._room -= _size(question, kept)
                while self._room < 0 and self._kept:
                    oldest = next(iter(self._kept))
                    self._room += _size(oldest, self._kept.pop(oldest))
                self._kept[question] = kept
        return kept


def _size(question: Any, kept: Kept) -> int:
    """Bytes that an answer takes: a filter may be longer than what it leaves of a list."""
    return BESIDE + len(str(question)) + len(kept.encoded)


class Only(Answers):
    """The answers about one thing, which may be a machine with whole scripts in its metadata."""

    @property
    def weight(self) -> int:
        return max(16, 1 + (ROOM - self._room) // 2048)


class Rows(Answers):
    """The rows of one list. Every order is made once, and so is every row's JSON; safe for threads."""

    def __init__(self, rows: Iterable[Row], *, plain: bool = False) -> None:
        """`plain`: the rows' things are rendered resources."""
        super().__init__()
        self._rows = [*rows]
        self._plain = plain
        self._orders: dict[str, _Order] = {}

    @property
    def weight(self) -> int:
        return max(super().weight, len(self._rows))

    def ordered(self, order: str, look: Look) -> Sequence[Row]:
        """All rows in this order, which is BY_NAME or NEWEST_FIRST; rows of one place in it by their id."""
        return self._order(order, look).rows

    def after(self, order: str, key: Key, look: Look) -> int:
        """How many rows stand at this key or before it."""
        found = self._order(order, look)
        rows, wanted, tell = found.rows, (*key[:-1],), self.teller(_ID, look)
        at = bisect_left(rows, wanted, key=found.place)
        while at < len(rows) and found.place(rows[at]) == wanted and _id(tell(rows[at])) <= key[-1]:
            at += 1
        return at

    def key(self, order: str, row: Row, look: Look) -> Key:
        """Where a row stands."""
        return [*self._order(order, look).place(row), _id(self.teller(_ID, look)(row))]

    def passing(self, matches: Filter, look: Look) -> Callable[[Row], bool]:
        """The filter, as a test of rows."""
        tell, test = self.teller(matches.fields, look), matches.test
        return lambda row: test(tell(row))

    def teller(self, fields: frozenset[str], look: Look) -> Callable[[Row], Mapping[str, Any]]:
        """What gives these fields of a row, and perhaps others; at the least cost."""
        if self._plain:
            plain: Callable[[Row], Mapping[str, Any]] = lambda row: row.item  # noqa: E731
            return plain
        if fields <= look.known.keys():
            tellers = [(name, look.known[name]) for name in fields]
            return lambda row: {name: tell(row.scope, row.item) for name, tell in tellers}
        shape = cast(Any, TypedDict)("shape", dict.fromkeys(fields, Any), total=False)
        decode: Callable[[bytes], Rendered] = msgspec.json.Decoder(shape).decode
        return lambda row: decode(row.json(look))

    def _order(self, order: str, look: Look) -> _Order:
        found = self._orders.get(order)
        if found is None:
            # Resources have the one, operations the other.
            tell = self.teller(_MADE & look.known.keys() or _MADE, look)
            made = {row: -_microseconds(tell(row)) for row in self._rows} if order == NEWEST_FIRST else None
            found = _Order(self._rows, made, self.teller(_ID, look))
            if look.sound():
                self._orders[order] = found
        return found


class _Order:
    """Rows as they stand by name, or by what `made` says of them first."""

    def __init__(
        self, rows: Sequence[Row], made: Mapping[Row, int] | None, tell: Callable[[Row], Mapping[str, Any]]
    ) -> None:
        self._made = made
        self.rows = sorted(rows, key=self.place)
        places = [self.place(row) for row in self.rows]
        at = 0
        for end in range(1, len(places) + 1):
            if end < len(places) and places[end] == places[at]:
                continue
            if end - at > 1:
                # Hardly anything stands at one place, and ids are not always known without rendering.
                self.rows[at:end] = sorted(self.rows[at:end], key=lambda row: _id(tell(row)))
            at = end

    def place(self, row: Row) -> tuple[Any, ...]:
        """Where it stands, but for its id."""
        return (row.name, row.scope) if self._made is None else (self._made[row], row.name, row.scope)


def _id(resource: Mapping[str, Any]) -> str:
    return str(resource.get("id", ""))


def _microseconds(resource: Mapping[str, Any]) -> int:
    """When the resource was made, an operation begun; one that does not say counts as the oldest."""
    text = resource.get("creationTimestamp") or resource.get("insertTime")
    if not text:
        return 0
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - _EPOCH) // _MICROSECOND
