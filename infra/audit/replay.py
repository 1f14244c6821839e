"""Runs the steps: from the log to what bills should say.

All is kept in a DuckDB file in a folder of its own, which is removed at the end. Bills are worked
out some at a time, so memory stays within a limit, however long the log is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from domain.currency import scale_of
from domain.times import to_micros
from infra.audit.log_source import LogSource, Progress

STEPS = Path(__file__).parent
MEMORY = "768MB"
EVER, NEVER = -(2**63), 2**63 - 1
"""Bounds of what has none, in microseconds since 1970."""
INTERVALS_AT_ONCE = 250_000
"""About so many claim intervals are rated together; those of a project are never parted."""
NO_LINES = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of a bill without lines: SHA-256 of nothing."""


class AuditFailed(Exception):
    """The audit cannot be made; what it says is for people."""


class Publication(NamedTuple):
    """A price book as it was published for the `number`th time."""

    price_book: str
    number: int


class Asked(NamedTuple):
    """A bill to work out: a project's, from the log up to a position."""

    project_id: str
    position: int


class Line(NamedTuple):
    """A line as its bill's digest reads it. Times are microseconds since 1970; the class, unit
    and flavor are empty where there is none; `unit_price` and `amount` are decimal numbers."""

    position: int
    from_at: int
    to_at: int
    price: str
    provider: str
    resource_class: str
    unit: str
    flavor: str
    amount_held: int
    unit_price: str
    amount: str


LINE_COLUMNS = ", ".join(Line._fields)


class Recomputed(NamedTuple):
    """What a bill should say. `unpriced` names what has no price: then there is no bill."""

    asked: Asked
    currency: str
    lines: int
    total: str
    digest: str
    unpriced: str | None


@contextmanager
def open_replay(folder: Path | None = None, memory: str = MEMORY) -> Iterator[Replay]:
    """A replay with a temporary place (in `folder`) for all that does not fit into memory."""
    with tempfile.TemporaryDirectory(prefix="tallystick-audit-", dir=folder) as own:
        connection = duckdb.connect(str(Path(own) / "audit.duckdb"))
        try:
            connection.execute(f"SET memory_limit = '{memory}'")
            connection.execute(f"SET temp_directory = '{own}/spilled'")
            connection.execute("SET preserve_insertion_order = false")
            yield Replay(connection)
        finally:
            connection.close()


class Replay:
    """One log. Load it, then ask for any number of bills."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def load(self, source: LogSource, progress: Progress) -> None:
        """Read the log, and find in it what was held: intervals, flavors and units."""
        source.fill(self.connection, progress)
        self._run_stages("0", "1")

    def projects(self, start: datetime, end: datetime, position: int) -> list[str]:
        """Those that held something in a period, as far as the log tells up to a position."""
        found = self.connection.execute(
            "SELECT DISTINCT project FROM intervals WHERE from_at < $end AND position <= $position"
            " AND CASE WHEN to_position <= $position THEN to_at > $start"
            " ELSE coalesce(hold_until > $start, true) END ORDER BY project",
            {"start": to_micros(start), "end": to_micros(end), "position": position},
        )
        return [project for (project,) in found.fetchall()]

    def recompute(
        self, publication: Publication, start: datetime, end: datetime, bills: Sequence[Asked]
    ) -> Iterator[dict[int, Recomputed]]:
        """Bills for start <= time < end, some at a time, by their places in `bills`.

        Until the next ones are asked for, `lines` tells theirs. Raises AuditFailed.
        """
        currency = self._set_terms(publication, start, end)
        with _exact():
            chunks = self._begin(bills)
        for (chunk,) in chunks:
            with _exact():
                self._set(chunk=chunk)
                self._run_stages("3")
                self._take_flavors()
                self._run_stages("5")
            yield self._sums(bills, currency)

    def lines(self, bill: int) -> list[Line]:
        """The lines of one of the bills that were made last, in their order."""
        found = self.connection.execute(
            f"SELECT {LINE_COLUMNS} FROM told WHERE bill = ? ORDER BY month_no, line_no",  # noqa: S608
            [bill],
        )
        return [Line(*row) for row in found.fetchall()]

    def _set_terms(self, publication: Publication, start: datetime, end: datetime) -> str:
        published = self.connection.execute(
            "SELECT state ->> '$.prices.currency', "
            "coalesce(state ->> '$.prices.month_rule', 'calendar') FROM facts "
            "WHERE topic = 'price_book.published' AND originator_id = ? "
            "AND CAST(state ->> '$.number' AS BIGINT) = ?",
            [f"price_book:{publication.price_book}", publication.number],
        ).fetchone()
        if published is None:
            raise AuditFailed(
                f"the log has no publication {publication.number} of the price book "
                f"{publication.price_book}"
            )
        currency, month_rule = published
        self._set(
            ever=EVER,
            never=NEVER,
            book=publication.price_book,
            number=publication.number,
            month_rule=month_rule,
            scale=scale_of(currency),
            smallest_units=10 ** scale_of(currency),
            period_start=to_micros(start),
            period_end=to_micros(end),
            at_once=INTERVALS_AT_ONCE,
        )
        return str(currency)

    def _begin(self, bills: Sequence[Asked]) -> list[tuple[int]]:
        """The numbers of the chunks that the bills are worked out in."""
        asked = pa.table(
            {
                "bill": pa.array(range(len(bills)), pa.int32()),
                "project": pa.array([one.project_id for one in bills], pa.string()),
                "position": pa.array([one.position for one in bills], pa.int64()),
            }
        )
        self.connection.register("asked", asked)
        self._run_stages("2")
        self.connection.unregister("asked")
        chunks = self.connection.execute("SELECT DISTINCT chunk FROM bills ORDER BY chunk")
        return chunks.fetchall()

    def _take_flavors(self) -> None:
        """Step by step, as what one flavor takes is not there for the next."""
        self._run("41_tries", "42_left_over")
        found = self.connection.execute(
            "SELECT nth, max(json_array_length(units)) FROM tries GROUP BY nth ORDER BY nth"
        )
        for flavor, lines in found.fetchall():
            self._set(flavor=flavor)
            self._run("43_flavor_amounts")
            for line in range(lines):
                self._set(line=line)
                self._run("44_flavor_units")
            self._run("45_flavor_taken")

    def _sums(self, bills: Sequence[Asked], currency: str) -> dict[int, Recomputed]:
        found = self.connection.execute(
            "SELECT bill, coalesce(lines, 0), coalesce(total, '0'), coalesce(digest, ?), unpriced "
            "FROM bills LEFT JOIN sums USING (bill) LEFT JOIN unpriced USING (bill) "
            "WHERE chunk = getvariable('chunk')",
            [NO_LINES],
        )
        return {
            bill: Recomputed(bills[bill], currency, lines, total, digest, unpriced)
            for bill, lines, total, digest, unpriced in found.fetchall()
        }

    def _set(self, **variables: int | str) -> None:
        for name, value in variables.items():
            kind = "VARCHAR" if isinstance(value, str) else "BIGINT"
            self.connection.execute(f"SET VARIABLE {name} = CAST(? AS {kind})", [value])

    def _run_stages(self, *stages: str) -> None:
        for stage in stages:
            self._run(*(name for name in step_names() if name.startswith(stage)))

    def _run(self, *names: str) -> None:
        for name in names:
            self.connection.execute(step(name))


@contextmanager
def _exact() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfRangeException as wrong:
        raise AuditFailed(
            f"the numbers are too large for the audit's exact arithmetic (128 bits): {wrong}"
        ) from wrong


@cache
def step_names() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in STEPS.glob("*.sql")))


@cache
def step(name: str) -> str:
    return (STEPS / f"{name}.sql").read_text(encoding="utf-8")
