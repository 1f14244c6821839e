"""Which builds of each projection there are, and which one serves.

A build is one set of a projection's tables, in a place of its own: `capacity 2.1` is the first
build of schema version 2. One build of each projection serves; others are being built beside it,
or are kept to go back to. Switching is one transaction here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic_core import from_json, to_json
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

State = Literal["building", "paused", "stopped", "ready", "switching", "serving", "kept"]
"""`stopped`: an event could not be handled while it was built. `ready`: built, and waiting for
somebody to switch. `kept`: it served before."""
WORKED_ON: tuple[State, ...] = ("building", "switching")
STATES: tuple[State, ...] = get_args(State)

SwitchRule = Literal["if_equal", "always", "never"]
"""Whether a build serves as soon as it is ready; if not, it waits for somebody to switch."""

metadata = MetaData()
builds = Table(
    "projection_builds",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("oldest", Integer, nullable=False, doc="the oldest code version that can read it"),
    Column("state", String(16), nullable=False),
    Column("switch_rule", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False, doc="microseconds since the epoch"),
    Column("changed_at", BigInteger, nullable=False),
    Column("progress", Text, nullable=False, doc="JSON, as of its last report"),
    Column("comparison", Text, doc="JSON; null before it was compared"),
)


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """The identity of a build."""

    name: str
    version: int
    number: int

    @property
    def label(self) -> str:
        """How people write it, after the projection's name."""
        return f"{self.version}.{self.number}"

    @property
    def place(self) -> str:
        """Where its tables are: the name of a file, or of a schema."""
        return f"{self.name}_{self.version}_{self.number}"

    def __str__(self) -> str:
        return f"{self.name} {self.label}"


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """What is known of a build beside its tables."""

    build: Build
    oldest: int
    state: State
    switch_rule: SwitchRule
    created_at: int
    progress: dict[str, Any]
    comparison: dict[str, Any] | None


class Builds:
    """The registry. Every change of a state says from which state: two never both succeed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._reading = engine

    def create_tables(self) -> None:
        with self._engine.begin() as connection:
            metadata.create_all(connection)

    def all(self) -> list[BuildRecord]:
        """By name, then by age."""
        with self._reading.connect() as connection:
            return _records(connection)

    def of(self, name: str) -> list[BuildRecord]:
        with self._reading.connect() as connection:
            return _records(connection, builds.c.name == name)

    def get(self, build: Build) -> BuildRecord | None:
        with self._reading.connect() as connection:
            return next(iter(_records(connection, _is(build))), None)

    def serving(self, name: str) -> BuildRecord | None:
        with self._reading.connect() as connection:
            is_serving = and_(builds.c.name == name, builds.c.state == "serving")
            return next(iter(_records(connection, is_serving)), None)

    def add(
        self, name: str, version: int, oldest: int, state: State, switch_rule: SwitchRule
    ) -> Build:
        """A further build of a version, numbered on."""
        with self._engine.begin() as connection:
            is_version = and_(builds.c.name == name, builds.c.version == version)
            last = connection.scalar(select(func.max(builds.c.number)).where(is_version)) or 0
            build = Build(name, version, last + 1)
            now = now_micros()
            connection.execute(
                insert(builds).values(
                    name=name,
                    version=version,
                    number=build.number,
                    oldest=oldest,
                    state=state,
                    switch_rule=switch_rule,
                    created_at=now,
                    changed_at=now,
                    progress="{}",
                )
            )
        return build

    def change(self, build: Build, to: State, *, only_from: Sequence[State]) -> bool:
        """Move a build on; False if it is not in one of these states (any more)."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(builds)
                .where(_is(build), builds.c.state.in_(only_from))
                .values(state=to, changed_at=now_micros())
            )
        return changed.rowcount == 1

    def switch(self, build: Build) -> bool:
        """In one transaction: this build serves now, and the one that served is kept."""
        with self._engine.begin() as connection:
            others = and_(builds.c.name == build.name, builds.c.state == "serving", ~_is(build))
            values = {"changed_at": now_micros()}
            connection.execute(update(builds).where(others).values(state="kept", **values))
            ready = builds.c.state.in_(("ready", "switching", "building", "kept"))
            switched = connection.execute(
                update(builds).where(_is(build), ready).values(state="serving", **values)
            )
            if switched.rowcount != 1:
                connection.rollback()
                return False
        return True

    def report(self, build: Build, progress: dict[str, Any]) -> None:
        self._set(build, progress=to_json(progress).decode())

    def compared(self, build: Build, comparison: dict[str, Any]) -> None:
        self._set(build, comparison=to_json(comparison).decode())

    def remove(self, build: Build) -> bool:
        """Forget a build; False if it serves or is being worked on."""
        with self._engine.begin() as connection:
            idle = builds.c.state.not_in(("serving", *WORKED_ON))
            return connection.execute(delete(builds).where(_is(build), idle)).rowcount == 1

    def _set(self, build: Build, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(builds).where(_is(build)).values(**values))


def now_micros() -> int:
    return time.time_ns() // 1_000


def _is(build: Build) -> ColumnElement[bool]:
    return and_(
        builds.c.name == build.name,
        builds.c.version == build.version,
        builds.c.number == build.number,
    )


def _records(connection: Connection, *conditions: ColumnElement[bool]) -> list[BuildRecord]:
    order = (builds.c.name, builds.c.version, builds.c.number)
    found = connection.execute(select(builds).where(*conditions).order_by(*order))
    return [
        BuildRecord(
            build=Build(row.name, row.version, row.number),
            oldest=row.oldest,
            state=row.state,
            switch_rule=row.switch_rule,
            created_at=row.created_at,
            progress=from_json(row.progress),
            comparison=None if row.comparison is None else from_json(row.comparison),
        )
        for row in found
    ]
