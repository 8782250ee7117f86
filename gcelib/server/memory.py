"""Lets memory that starting and large requests took go back to the system, and keeps the collector from what stays."""

from __future__ import annotations

import ctypes
import gc
import logging

log = logging.getLogger(__name__)

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # mallopt(3)
_LARGE = 256 * 1024
_NEW = 10_000


def only_grow() -> None:
    """Call it before all that stays is made: looking for garbage among it takes a tenth of a start and finds none."""
    gc.disable()


def give_back_what_is_free() -> None:
    """Call it before there are threads.

    Left to itself, glibc keeps a heap for each thread and raises the size from which it maps memory apart up to
    32 MB: one large body per thread, and the process never shrinks again.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        log.debug("this system's malloc has nothing to be set")
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE)
    mallopt(_M_ARENA_MAX, 2)


def settle() -> None:
    """Call it when all is there that stays: it is never looked through again, nor now, which would take a tenth of a
    start and find next to nothing.

    Later collections begin when some thousand objects are new, not some hundred: while a list of ten thousand machines
    is made there are a dozen instead of two hundred.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(_NEW)
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        log.debug("this system's malloc gives nothing back when asked")
