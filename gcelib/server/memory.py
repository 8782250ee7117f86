"""Lets memory that large requests took go back to the system once they are answered."""

from __future__ import annotations

import ctypes
import logging

log = logging.getLogger(__name__)

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # mallopt(3)
_LARGE = 256 * 1024


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
