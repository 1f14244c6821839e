"""An empty database for each test, on both engines: what differs between them ends here."""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.embedded_postgres import (
    EmbeddedPostgres,
    create_database,
    drop_database,
    ordinary_user,
    reachable_temporary_directory,
)

Engine = Literal["sqlite", "postgresql"]
ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class ScratchDatabase:
    """A database that is empty at the start of a test and gone after it.

    `settings_environment` holds the settings that name it: for building settings in the test's
    own process, or for the environment of a service that the test starts.
    """

    engine: Engine
    settings_environment: dict[str, str]

    @property
    def data_directory(self) -> Path:
        return Path(self.settings_environment["TALLYSTICK_DATA"])

    @property
    def url(self) -> str | None:
        """The PostgreSQL URL, or None on SQLite."""
        return self.settings_environment.get("TALLYSTICK_DATABASE_URL")


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Yield the URL of a server for the tests: the one that is named, or one of our own.

    Our own does not flush to disk: the tests kill services, not the machine under them. It lies in
    a folder of its own, as pytest's temporary folders are closed to the user that root runs it as.
    """
    named = os.environ.get("TALLYSTICK_TEST_DATABASE_URL")
    if named:
        yield named
        return
    base = reachable_temporary_directory(ordinary_user()[0])
    folder = Path(tempfile.mkdtemp(prefix="tallystick-tests-", dir=base))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "data", fsync=False) as server:
            yield server.url
    finally:
        shutil.rmtree(folder)


def sqlite_database(data_directory: Path) -> ScratchDatabase:
    return ScratchDatabase(
        engine="sqlite", settings_environment={"TALLYSTICK_DATA": str(data_directory)}
    )


@contextlib.contextmanager
def postgresql_database(server_url: str, data_directory: Path) -> Iterator[ScratchDatabase]:
    name = f"tallystick_test_{uuid.uuid4().hex}"
    ours = not os.environ.get("TALLYSTICK_TEST_DATABASE_URL")
    url = create_database(server_url, name, copy_files=ours)
    settings = {"TALLYSTICK_DATA": str(data_directory), "TALLYSTICK_DATABASE_URL": url}
    try:
        yield ScratchDatabase(engine="postgresql", settings_environment=settings)
    finally:
        drop_database(server_url, name)
