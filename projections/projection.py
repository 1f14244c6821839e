"""What a read model is: tables of its own, folded from pages of the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, MetaData

from domain.events import Event
from projections.bulk import Rows


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of the log at its place. Its stream and version are the event's own originator."""

    position: int
    event: Event


Changes = Sequence[tuple[Rows[Any], Iterable[Any]]]
"""What a page does to the tables: rows to put, table by table."""


class Projection(Protocol):
    """A read model: its name, its schema's version, its tables, and what it makes of events."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int:
        """The schema version that this code builds. Another one is another set of tables."""

    @property
    def oldest(self) -> int:
        """The oldest version that this code still keeps and reads, while the new one is built.

        It differs from the newest by columns only: each says in `info` since which version it is.
        """

    @property
    def metadata(self) -> MetaData: ...

    @property
    def topics(self) -> frozenset[str] | None:
        """The events that it handles; None: every event, whatever it is."""

    @property
    def by_stream(self) -> bool:
        """True if what it makes of a stream's events depends on no other stream, so that parts of
        the streams may be folded side by side."""

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:
        """What the page changes. Reads the rows that it goes on with, and writes nothing.

        The page is the log's next events that it handles, in order. How the log is cut into pages
        changes nothing in the tables.
        """


def apply_page(projection: Projection, connection: Connection, page: Sequence[Recorded]) -> None:
    """Fold a page into the tables."""
    if page:
        put_all(connection, projection.fold(connection, page))


def put_all(connection: Connection, changes: Changes) -> None:
    for rows, values in changes:
        rows.put(connection, values)


__all__ = ["Changes", "Connection", "Projection", "Recorded", "apply_page", "put_all"]
