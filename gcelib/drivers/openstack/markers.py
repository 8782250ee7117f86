"""Key-value pairs kept as Neutron's tags, which are texts of at most 60 characters without a value.

A pair is the tag `key=value`; one that is longer is cut into pieces `~MARK.NUMBER.OF.PIECE`, told apart by a mark made
of the whole. What cannot stand in a URL, or parts tags in a list, is percent-encoded.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote

LONGEST = 60
PIECE = 44
SAFE = " !$()*:;@-._+=~"
"""Characters that stay as they are beside letters and digits."""


def encoded(key: str, value: str) -> list[str]:
    """The tags that keep one pair."""
    text = f"{quote(key, safe='-._:').replace('~', '%7E')}={quote(value, safe=SAFE)}"
    if len(text) <= LONGEST:
        return [text]
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    pieces = [text[start:start + PIECE] for start in range(0, len(text), PIECE)]
    return [f"~{mark}.{number}.{len(pieces)}.{piece}" for number, piece in enumerate(pieces)]


def decoded(tags: Iterable[str]) -> dict[str, str]:
    """The pairs that tags keep; tags of others, and pairs with a piece missing, are left out."""
    return {key: value for key, value, _ in sorted(_pairs(tags))}


def change(tags: Iterable[str], wanted: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """(tags to add, tags to take away) so that these pairs are kept; None for a pair that is to go."""
    there = list(tags)
    new = {key: encoded(key, value) if value is not None else [] for key, value in wanted.items()}
    add = [tag for found in new.values() for tag in found if tag not in there]
    old = {tag for key, _, found in _pairs(there) if key in new for tag in found if tag not in new[key]}
    return add, sorted(old)


def _pairs(tags: Iterable[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(key, value, the tags that keep it) of every whole pair; a key may have several for a moment."""
    pieces: dict[tuple[str, str], dict[int, tuple[str, str]]] = defaultdict(dict)
    for tag in tags:
        if tag.startswith("~"):
            mark, number, count, piece = [*tag[1:].split(".", 3), "", "", ""][:4]
            if number.isdecimal() and count.isdecimal():
                pieces[mark, count][int(number)] = (piece, tag)
        elif "=" in tag:
            yield (*_parted(tag), (tag,))
    for (_, count), found in pieces.items():
        if len(found) == int(count):
            text = "".join(found[number][0] for number in sorted(found))
            yield (*_parted(text), tuple(tag for _, tag in found.values()))


def _parted(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return unquote(key), unquote(value)
