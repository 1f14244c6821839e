"""Fixtures of the whole suite: one database per test, on each engine in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import (
    ENGINES,
    ScratchDatabase,
    postgresql_database,
    postgresql_server,
    sqlite_database,
)
from tests.open_ledger import OpenLedger, settings_from


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own service settings must not reach a test, nor its subprocesses."""
    names = ["DATA", "ARCHIVE", "DATABASE_URL", "CLIENT_TIME", "SIGNING_KEY", "SEAL_SECONDS"]
    names += [f"PLACEMENT_{name}" for name in ("PORT", "POLICY", "CORS_ORIGINS")]
    names += ["PLACEMENT_MAX_CANDIDATES", "PLACEMENT_CANDIDATE_ORDER"]
    for name in names:
        monkeypatch.delenv(f"TALLYSTICK_{name}", raising=False)


@pytest.fixture(scope="session")
def postgresql_server_url() -> Iterator[str]:
    """One server for the session (with xdist, for each worker), started by the first who asks."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScratchDatabase]:
    """An empty database; a test that takes it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield sqlite_database(tmp_path / "data")
        return
    server_url: str = request.getfixturevalue("postgresql_server_url")
    with postgresql_database(server_url, tmp_path / "data") as scratch:
        yield scratch


@pytest.fixture
def ledger(database: ScratchDatabase) -> Iterator[OpenLedger]:
    """An empty ledger, on each engine in turn."""
    opened = OpenLedger(settings_from(database.settings_environment))
    yield opened
    opened.close()
