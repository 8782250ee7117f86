"""Reads the tables that command-line clients print."""

from __future__ import annotations

from collections.abc import Iterator

Row = dict[str, str]


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        line = line.removeprefix(">>> ")  # What follows an answered prompt is printed beside it.
        if line.startswith(("+", "|")):
            block.append(line)
        elif block:
            yield block
            block = []


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def drawn(text: str) -> list[list[Row]]:
    """Every table of gcutil's lists in a text, each as its rows."""
    tables = []
    for block in _blocks(text):
        if len(block) > 2 and block[2].startswith("+"):
            heads = _cells(block[1])
            lines = [line for line in block[3:] if line.startswith("|")]
            tables.append([dict(zip(heads, _cells(line), strict=True)) for line in lines])
    return tables


def details(text: str) -> dict[str, list[str]]:
    """The table of one thing: its names, in which several may have one name, and their values."""
    (block,) = _blocks(text)
    found: dict[str, list[str]] = {}
    name = ""
    for line in block:
        if line.startswith("|"):
            left, _, value = line.strip("|").partition("|")
            name = left.strip() or name
            found.setdefault(name, []).append(value.strip())
    return found


def aligned(text: str) -> list[Row]:
    """gcloud's list: columns begin where their headings do; values hold no two spaces in a row."""
    lines = text.splitlines()
    if not lines:
        return []
    heads = lines[0]
    starts = [i for i in range(len(heads)) if heads[i] != " " and (i == 0 or heads[i - 1] == " ")]
    ends = [*starts[1:], 10_000]
    columns = list(zip(starts, ends, strict=True))
    return [
        {heads[start:end].strip(): line[start:end].strip() for start, end in columns} for line in lines[1:] if line
    ]
