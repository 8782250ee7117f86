"""Work on several things at once, in a few threads that end with it."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")


def side_by_side(
    work: Callable[[Thing], None], things: Iterable[Thing], most: int, name: str,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """`work` on each thing, begun in their order, here and in threads called `name` beside: `most` at a time in all;
    in threads alone where `meanwhile` is to be done here.

    The threads have what the caller's context says. What is raised first ends all, and is raised here when the others
    have ended.
    """
    left = [*things][::-1]
    failed: list[BaseException] = []

    def attempt(each: Callable[[], None]) -> None:
        try:
            each()
        except BaseException as error:
            failed.append(error)

    def go_on() -> None:
        while not failed:
            try:
                thing = left.pop()
            except IndexError:
                return
            attempt(lambda: work(thing))  # noqa: B023 - it is called before there is another thing

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(go_on,), name=name, daemon=True)
        for _ in range(min(most, len(left)) - (meanwhile is None))
    ]
    for thread in threads:
        thread.start()
    attempt(meanwhile or go_on)
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
