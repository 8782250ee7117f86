"""Key-value pairs kept as Neutron's tags, which are texts of at most 60 characters without a value.

A pair is the tag `key=value`; one that is longer is cut into pieces `~MARK.NUMBER.OF.PIECE`, told apart by a mark made
of the whole. What cannot stand in a URL, or parts tags in a list, is percent-encoded.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

LONGEST = 60
PIECE = 44
SAFE = " !$()*:;@-._+=~"
"""Characters that stay as they are beside letters and digits."""


def encoded(key: str, value: str) -> list[str]:
    """The tags that keep one pair."""
    text = f"{quote(key, safe='-._:')}={quote(value, safe=SAFE)}"
    if len(text) <= LONGEST:
        return [text]
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    pieces = [text[start:start + PIECE] for start in range(0, len(text), PIECE)]
    return [f"~{mark}.{number}.{len(pieces)}.{piece}" for number, piece in enumerate(pieces)]


def decoded(tags: Iterable[str]) -> dict[str, str]:
    """The pairs that tags keep; tags of others, and pairs with a piece missing, are left out."""
    whole: list[str] = []
    pieces: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for tag in tags:
        if tag.startswith("~"):
            mark, number, count, piece = [*tag[1:].split(".", 3), "", "", ""][:4]
            if number.isdigit() and count.isdigit():
                pieces[mark, count][int(number)] = piece
        elif "=" in tag:
            whole.append(tag)
    for (_, count), found in pieces.items():
        if len(found) == int(count):
            whole.append("".join(found[number] for number in sorted(found)))
    pairs = (text.partition("=") for text in sorted(whole))
    return {unquote(key): unquote(value) for key, _, value in pairs}


def change(tags: Iterable[str], wanted: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """(tags to add, tags to take away) so that these pairs are kept; None for a pair that is to go."""
    there = list(tags)
    kept = {key: set(encoded(key, value)) for key, value in decoded(there).items() if key in wanted}
    add: list[str] = []
    remove: list[str] = []
    for key, value in wanted.items():
        new = encoded(key, value) if value is not None else []
        add += [tag for tag in new if tag not in there]
        remove += sorted(kept.get(key, set()) - set(new))
    return add, remove
