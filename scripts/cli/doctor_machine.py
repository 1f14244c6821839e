"""What `tally doctor` finds out without the service: Python, folder, database, clock."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.cli.doctor_check import Check, fail, ok, warn
from scripts.cli.settings import database_shown

if TYPE_CHECKING:
    from infra.settings import Settings

OLDEST_PYTHON = (3, 11)
GIB = 1024**3
# A day of claims at full speed takes some GiB; below the lesser one the log may stop within hours.
SCARCE_GIB, DANGEROUS_GIB = 2.0, 0.25
# The year in which Tallystick began: a clock before it was never set.
FIRST_YEAR = 2026
CONNECT_TIMEOUT_SECONDS = 5


def check_machine(settings: "Settings") -> Iterator[Check]:
    yield check_python(sys.version_info[:2])
    yield from check_folder(settings.data)
    yield check_database(settings)
    if settings.engine == "sqlite":
        yield check_lock(settings.data)
    yield check_client_time(settings)
    yield check_clock(datetime.now(UTC))


def check_python(version: tuple[int, int]) -> Check:
    found = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return fail("python", found, "Install Python 3.11 or newer.")
    return ok("python", found)


def check_folder(folder: Path) -> Iterator[Check]:
    """The folder may not be there yet: `serve` makes it. Then its nearest ancestor is looked at."""
    place = folder.absolute()
    if place.exists() and not place.is_dir():
        yield fail(
            "data folder", f"{place} is a file", "Name a folder with --data or TALLYSTICK_DATA."
        )
        return
    there = next(path for path in (place, *place.parents) if path.is_dir())
    if not os.access(there, os.W_OK | os.X_OK):
        yield fail(
            "data folder",
            f"{there} cannot be written to",
            "Give this user the right to write there, or name another folder with TALLYSTICK_DATA.",
        )
    elif there == place:
        yield ok("data folder", str(place))
    else:
        yield warn("data folder", f"{place} is not there yet", "`tally serve` makes it.")
    yield check_space(shutil.disk_usage(there).free)


def check_space(free_bytes: int) -> Check:
    free = free_bytes / GIB
    found = f"{free:.1f} GiB free"
    remedy = "Make room, or move the data folder to a larger disk."
    if free < DANGEROUS_GIB:
        return fail("disk space", found, remedy)
    return warn("disk space", found, remedy) if free < SCARCE_GIB else ok("disk space", found)


def check_database(settings: "Settings") -> Check:
    if settings.database_url is None:
        return _check_sqlite(settings.data)
    import psycopg

    try:
        with psycopg.connect(
            settings.database_url.get_secret_value(), connect_timeout=CONNECT_TIMEOUT_SECONDS
        ) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.Error as error:
        return fail(
            "database",
            f"postgresql at {database_shown(settings)}: {str(error).strip()}",
            "Start the server, or mend TALLYSTICK_DATABASE_URL (postgresql://USER:PASSWORD@HOST/NAME).",
        )
    return ok("database", f"postgresql {version} at {database_shown(settings)}")


def sqlite_file(folder: Path) -> Path:
    """Where the embedded engine keeps the events."""
    return folder.absolute() / "events.sqlite"


def _check_sqlite(folder: Path) -> Check:
    file = sqlite_file(folder)
    if not file.exists():
        return ok("database", "sqlite, nothing written yet")
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return fail(
            "database",
            f"{file}: {error}",
            "Is the file another program's, or was it damaged? Restore it from a backup.",
        )
    return ok("database", f"sqlite {file}")


def check_lock(folder: Path) -> Check:
    """Only one process serves an SQLite folder; whether one does now is good to know either way."""
    from infra.sqlite_database import FolderInUse, own_folder

    try:
        if folder.is_dir():
            with own_folder(folder):
                pass
    except FolderInUse:
        return ok("lock", "a process serves this folder")
    except OSError as error:
        return fail("lock", str(error), "Give this user the right to write in the data folder.")
    return ok("lock", "free: no process serves this folder")


def check_client_time(settings: "Settings") -> Check:
    if settings.client_time == "refuse":
        return ok("client time", "refused: the ledger's own clock tells the time of each write")
    return warn(
        "client time",
        "accepted: a client may give the time of its write (Tallystick-At), as `tally replay` does",
        "In production, set TALLYSTICK_CLIENT_TIME=refuse.",
    )


def check_clock(now: datetime) -> Check:
    found = now.isoformat(timespec="seconds")
    if now.year < FIRST_YEAR:
        return fail("clock", found, "Set the machine's clock: the ledger's times come from it.")
    return ok("clock", found)
