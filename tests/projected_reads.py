"""Read models built once for many tests that only read, and lists in plain Python beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from infra.database import open_database
from projections.projection import Recorded
from tests.databases import ScratchDatabase, postgresql_database, sqlite_database
from tests.open_ledger import settings_from
from tests.projected_log import cut, engine_of, project

T = TypeVar("T")
MANY = 100_000


@contextmanager
def module_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ScratchDatabase]:
    """A database for all tests of a module, on the engine that the fixture's parameter names."""
    folder = tmp_path_factory.mktemp("data")
    if request.param == "sqlite":
        yield sqlite_database(folder)
        return
    server_url: str = request.getfixturevalue("postgresql_server_url")
    with postgresql_database(server_url, folder) as scratch:
        yield scratch


@contextmanager
def projected(scratch: ScratchDatabase, log: list[Recorded]) -> Iterator[Connection]:
    database = open_database(settings_from(scratch.settings_environment))
    engine = engine_of(database)
    project(engine, cut(log, range(0, len(log), 40)))
    with engine.connect() as opened:
        yield opened
    database.close()


def paged(
    read: Callable[..., Sequence[T]], *key: str, name: str = "after", **filters: Any
) -> list[T]:
    """All pages one after the other; `key` are the last row's attributes where the next starts."""
    found: list[T] = []
    after = None
    while page := read(**{name: after}, **filters):
        found += page
        after = attrgetter(*key)(page[-1])
    return found


def states(log: Sequence[Recorded], kind: type[Any]) -> dict[str, Any]:
    """The newest state of every aggregate of a kind, in the order of their first events."""
    found: dict[str, Any] = {}
    for recorded in log:
        category, _, id = recorded.event.originator_id.partition(":")
        if category == kind.CATEGORY:
            found.setdefault(id, kind(id)).apply(recorded.event)
    return found


def middle(log: Sequence[Recorded]) -> datetime:
    return sorted(recorded.event.at for recorded in log)[len(log) // 2]


def end(log: Sequence[Recorded]) -> datetime:
    return max(recorded.event.at for recorded in log)
