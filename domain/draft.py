"""Books for a use case of several steps, each of which goes on from what the last one decided."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeVar, cast

from domain.aggregate import Aggregate
from domain.books import Books, Search
from domain.events import Event
from domain.wish import Preference

A = TypeVar("A", bound=Aggregate)


class Draft:
    """`domain.books.Books` on copies. The steps' events are in `events`, for the real books to
    record all at once. Its search does not know them."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._copies: dict[str, Aggregate] = {}
        self.events: list[Event] = []

    @property
    def search(self) -> Search:
        return self._books.search

    @property
    def preference(self) -> Preference:
        return self._books.preference

    def get(self, kind: type[A], id: str) -> A:
        stream = kind.stream_of(id)
        if stream not in self._copies:
            self._copies[stream] = _copied(self._books.get(kind, id))
        return cast(A, self._copies[stream])

    def record(self, events: Sequence[Event]) -> None:
        for event in events:
            self._copies[event.originator_id].apply(event)
        self.events += events


def _copied(aggregate: Aggregate) -> Aggregate:
    """Values are immutable, so only the dictionaries that hold them are made anew."""
    made = copy.copy(aggregate)
    for kind in type(made).__mro__:
        for name in getattr(kind, "__slots__", ()):
            value = getattr(made, name)
            if isinstance(value, dict):
                parts = {k: dict(v) if isinstance(v, dict) else v for k, v in value.items()}
                setattr(made, name, parts)
    return made
