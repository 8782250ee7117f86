"""The envelope of a list: counting, paging, and the 500-row rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gcelib.simulator.call import Call
from gcelib.simulator.errors import invalid
from gcelib.simulator.records import Row

T = TypeVar("T")


def listing(call: Call, key: str, things: Sequence[T], show: Callable[[T], Row]) -> Row:
    """The list's payload; only the page's rows are rendered.

    Nothing at all gives `{}`, a page past the end the count alone. Raises ApiError 431 for a page without
    a page size (and the reverse), or one above the server's cap.
    """
    start, stop = _window(call)
    if not things:
        return {}
    rows = [show(thing) for thing in things[start:stop]]
    return {"count": len(things), key: rows} if rows else {"count": len(things)}


def _window(call: Call) -> tuple[int, int | None]:
    cap = call.world.settings.page_size
    page, size = call.number("page"), call.number("pagesize")
    if size == -1 and page is None:
        if cap != -1:
            raise invalid(f"Page size can not exceed max allowed page size value: {cap}")
        return 0, None
    if (page is None) != (size is None):
        raise invalid("\"page\" and \"pagesize\" parameters should be specified together")
    if page is None or size is None:
        return 0, None if cap == -1 else cap
    if page < 1 or size < 1:
        raise invalid("Page and page size must be positive numbers")
    if cap != -1 and size > cap:
        raise invalid(f"Page size can not exceed max allowed page size value: {cap}")
    return (page - 1) * size, page * size
