"""How far a cloud's clock is from ours, by the `Date` of its answers: for people, and to judge the times it tells."""

from __future__ import annotations

import datetime
import logging
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from email.utils import parsedate_to_datetime

from gcelib.within import Within

LOG = logging.getLogger(__name__)

FAR = datetime.timedelta(minutes=1)
"""What is worth a word; less is the time that answers take."""
FARTHEST = datetime.timedelta(days=20 * 365)
"""A clock that is off by more is no clock: a header that says so is not believed."""
AGAIN = 3600.0
"""Seconds until the same is logged again."""

_ASKED: ContextVar[str] = ContextVar("gcelib_asked_cloud", default="")
_LOCK = threading.Lock()
_AHEAD: dict[str, datetime.timedelta] = {}
_SAID: dict[str, float] = {}


def asking(cloud: str) -> Within[str]:
    """What is heard in this context is this cloud's."""
    return Within(_ASKED, cloud)


def heard(date: str | None) -> None:
    """Take note of the `Date` of an answer; one that is none says nothing."""
    cloud = _ASKED.get()
    if not cloud or not date:
        return
    try:
        told = parsedate_to_datetime(date)
        ahead = told.replace(tzinfo=told.tzinfo or datetime.UTC) - datetime.datetime.now(datetime.UTC)
    except (ValueError, OverflowError, TypeError):
        return
    if abs(ahead) > FARTHEST:
        return
    with _LOCK:
        _AHEAD[cloud] = ahead
        now = time.monotonic()
        tell = abs(ahead) > FAR and now - _SAID.get(cloud, -AGAIN) >= AGAIN
        if tell:
            _SAID[cloud] = now
    if tell:
        LOG.warning("cloud %s: %s", cloud, said(cloud).strip())


def ahead(cloud: str = "") -> datetime.timedelta:
    """By how much a cloud's clock is ahead of ours, as its last answer told; less than zero when it is behind.

    Without a name it is the cloud that is being asked now. Nothing where it is not known.
    """
    return _AHEAD.get(cloud or _ASKED.get(), datetime.timedelta(0))


def known() -> Mapping[str, datetime.timedelta]:
    """By how much each cloud's clock is ahead of ours, of those that told."""
    with _LOCK:
        return dict(_AHEAD)


def said(cloud: str) -> str:
    """A sentence about a clock that is far off, with a blank before it; "" for one that is not."""
    off = ahead(cloud)
    if abs(off) <= FAR:
        return ""
    way = "ahead of" if off > datetime.timedelta(0) else "behind"
    return f" Its clock is {_spelt(abs(off))} {way} this machine's: look which one is wrong, and set it."


def since(cloud: str, ours: datetime.datetime) -> datetime.datetime:
    """The earliest time that a cloud may tell of what was made then by our clock: it may be behind.

    One that is ahead is not minded: the header may be another machine's, and what was made would not be found.
    """
    behind = min(ahead(cloud), datetime.timedelta(0))
    try:
        return ours + behind
    except OverflowError:
        return ours


def _spelt(off: datetime.timedelta) -> str:
    seconds = off.total_seconds()
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds:.0f} seconds"
