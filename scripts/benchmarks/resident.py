"""The memory of processes and of those that they started, where the kernel tells it."""

from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def resident_mebibytes(pids: Iterable[int]) -> float:
    """Proportional set size of these processes and their children; 0 where that is not told."""
    return sum(_kibibytes(pid) for parent in pids for pid in (parent, *_children(parent))) / 1024


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in (PROC / f"{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kibibytes(pid: int) -> int:
    """Pages that several share count for each by its part."""
    try:
        for line in (PROC / f"{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0
