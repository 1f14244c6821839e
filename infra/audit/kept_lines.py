"""The lines of all bills of an audit, kept for those who want them: in the replay's own file, as
they may be many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infra.audit.replay import LINE_COLUMNS, Line, Replay
from infra.audit.stated import Stated

AT_ONCE = 10_000
TABLE = """
CREATE TABLE kept (
    place INTEGER, line_no BIGINT, project_id VARCHAR, period VARCHAR, price_book VARCHAR,
    price_book_number BIGINT, currency VARCHAR, consumer_id VARCHAR, position BIGINT,
    from_at BIGINT, to_at BIGINT, price VARCHAR, provider VARCHAR, resource_class VARCHAR,
    unit VARCHAR, flavor VARCHAR, amount_held BIGINT, unit_price VARCHAR, amount VARCHAR
)
"""
WRITTEN = """
COPY (
    SELECT * EXCLUDE (place, line_no) REPLACE (
        make_timestamptz(from_at) AS from_at,
        make_timestamptz(to_at) AS to_at,
        CAST(unit_price AS DECIMAL(38, 12)) AS unit_price,
        CAST(amount AS DECIMAL(38, 4)) AS amount
    ) RENAME (provider AS provider_id)
    FROM kept
    ORDER BY place, line_no
) TO '{}' (FORMAT parquet)
"""


class KeptLine(NamedTuple):
    consumer_id: str
    line: Line


class KeptLines:
    """`place` is a bill's place among those that are checked."""

    def __init__(self, replay: Replay) -> None:
        self._connection = replay.connection
        self._connection.execute(TABLE)

    def keep(self, place: int, bill: int, stated: Stated) -> None:
        """One of the bills that were made last."""
        book, number = stated.publication
        self._connection.execute(
            "INSERT INTO kept SELECT ?, row_number() OVER (ORDER BY month_no, line_no),"
            " ?, ?, ?, ?, ?, split_part(stream, ':', 2),"
            " told.* EXCLUDE (bill, month_no, line_no) FROM told JOIN intervals USING (position)"
            " WHERE bill = ?",
            [place, stated.project_id, stated.period, book, number, stated.currency, bill],
        )

    def of(self, place: int) -> Iterator[KeptLine]:
        found = self._connection.cursor().execute(
            f"SELECT consumer_id, {LINE_COLUMNS} FROM kept "  # noqa: S608
            "WHERE place = ? ORDER BY line_no",
            [place],
        )
        while rows := found.fetchmany(AT_ONCE):
            for consumer_id, *fields in rows:
                yield KeptLine(consumer_id, Line(*fields))

    def prices(self, place: int) -> list[str]:
        """The names of the prices of its lines."""
        found = self._connection.execute(
            "SELECT DISTINCT price FROM kept WHERE place = ? ORDER BY price", [place]
        )
        return [price for (price,) in found.fetchall()]

    def write_parquet(self, path: Path) -> None:
        """The file has its name only once it is whole. Times are in UTC."""
        unfinished = Path(f"{path}.unfinished")
        quoted = str(unfinished).replace("'", "''")
        try:
            self._connection.execute(WRITTEN.format(quoted))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
