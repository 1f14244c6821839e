"""Keep what was freed: answers of megabytes come one after the other."""

from __future__ import annotations

import ctypes
import os
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt(3)."""
KEPT_BYTES = 64 * 1024 * 1024
LARGEST_KEPT_BYTES = 32 * 1024 * 1024


def keep_freed_memory() -> None:
    """Have glibc hand freed memory back to the system from 64 MiB on.

    By default it does so from a few hundred kilobytes on, and every page of the next long answer is
    a fault again: half the time of an answer of five megabytes. Its environment variables go first.
    """
    if not sys.platform.startswith("linux") or "MALLOC_TRIM_THRESHOLD_" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
