"""The database of a run: a fresh PostgreSQL of its own, or none for the embedded engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class DatabaseFailed(Exception):
    """The benchmark's own PostgreSQL did not start; the message says why."""


@dataclass(frozen=True, kw_only=True)
class RunningDatabase:
    """Both are None for SQLite, whose work is the service's own."""

    url: str | None = None
    pid: int | None = None


@contextmanager
def running_database(engine: str, folder: Path) -> Iterator[RunningDatabase]:
    """An empty database with fsync on, its files under `folder`, stopped at the end."""
    if engine == "sqlite":
        yield RunningDatabase()
        return
    # Imported here, so that the SQLite figures need no PostgreSQL binaries.
    from infra.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError

    # Root's PostgreSQL runs as an ordinary user, who must be able to pass through to its files.
    folder.chmod(0o711)
    data = folder / "postgresql"
    try:
        with EmbeddedPostgres(data, fsync=True) as server:
            # PostgreSQL writes its pid as the first line of this file.
            pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
            yield RunningDatabase(url=server.create_database("benchmark"), pid=pid)
    except EmbeddedPostgresError as error:
        raise DatabaseFailed(str(error)) from error
