"""The log's rows as they are stored, and which of them a reader wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class LogRow(NamedTuple):
    """One stored event at its position. Named as the library's own, so that its mapper reads it."""

    position: int
    originator_id: str
    originator_version: int
    topic: str
    state: bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the log's rows: those of these topics (None: of all), in one part of the streams.

    A stream is in part `ord(its last character) % parts`: a rule that SQL and Python both have at
    hand, and that spreads ids which end in a digit (decimal or hexadecimal) evenly.
    """

    topics: frozenset[str] | None = None
    part: int = 0
    parts: int = 1

    def has(self, row: LogRow) -> bool:
        return (self.topics is None or row.topic in self.topics) and (
            self.parts == 1 or ord(row.originator_id[-1]) % self.parts == self.part
        )

    def conditions(self, last_character: str, mark: str) -> tuple[str, Sequence[Any]]:
        """The same in SQL, to follow another condition; `mark` is the driver's placeholder.

        `last_character` is the engine's expression for the code of a stream's last character.
        """
        text, values = "", []
        if self.topics is not None:
            text += f" AND topic IN ({', '.join([mark] * len(self.topics))})"
            values += sorted(self.topics)
        if self.parts > 1:
            modulo = "%" * len(mark)  # Doubled where the placeholder begins with this sign, too.
            text += f" AND {last_character} {modulo} {self.parts} = {self.part}"
        return text, values


EVERYTHING = Selection()
