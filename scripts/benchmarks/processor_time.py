"""CPU seconds of a process and all its descendants, read from /proc where there is one."""

import os
from pathlib import Path

PROC = Path("/proc")


def processor_seconds(root: int) -> float | None:
    """User and system time of the tree under `root`, its ended children included.

    None without /proc (macOS, Windows): `resource` tells the time of a child only once it has
    ended, so there is no honest figure for a round of a service that goes on running.
    """
    if not (PROC / "self" / "stat").exists():
        return None
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal() and (fields := _stat(folder)):
            parents[int(folder.name)] = int(fields[1])
            # Its own user and system time, then those of the children that it has waited for.
            ticks[int(folder.name)] = sum(int(field) for field in fields[11:15])
    own = (ticks[pid] for pid in ticks if _descends(pid, root, parents))
    return sum(own) / os.sysconf("SC_CLK_TCK")


def _stat(folder: Path) -> list[str] | None:
    """The fields after the command name, which may itself hold spaces and brackets."""
    try:
        return (folder / "stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid and pid != root:
        pid = parents.get(pid, 0)
    return pid == root
