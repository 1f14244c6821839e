"""What a read model is: tables of its own, folded from pages of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, MetaData

from domain.events import Event


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of the log at its place. Its stream and version are the event's own originator."""

    position: int
    event: Event


class Projection(Protocol):
    """A read model. Another `version` is another set of tables: their names carry the number."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def metadata(self) -> MetaData: ...

    def project(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Fold the page into the tables, inside the transaction that also moves the position.

        The page is the log's next events in order. How the log is cut into pages changes nothing
        in the tables.
        """


__all__ = ["Connection", "Projection", "Recorded"]
