"""What the use cases need from outside: streams by name, a place to record, and a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from domain.aggregate import Aggregate
from domain.demand import Demand
from domain.events import Event
from domain.request import Reason

A = TypeVar("A", bound=Aggregate)


class Search(Protocol):
    """The proposer: it may be wrong about what fits, and then the aggregates say no."""

    def candidates(self, demand: Demand) -> Iterator[tuple[str, ...]]:
        """Trees that might serve the demand, each as provider ids, the root first; lazily."""

    def reasons(self, demand: Demand) -> tuple[tuple[Reason, ...], int]:
        """Why no tree serves it, by equal reasons; and how many trees were considered."""

    def tree_of(self, provider_id: str) -> tuple[str, ...]:
        """The tree that the provider is in, the root first. Empty if there is no such provider."""

    def subtree_of(self, provider_id: str) -> tuple[str, ...]:
        """The provider and all below it, parents before children."""

    def children_of(self, provider_id: str) -> Sequence[str]:
        """The provider's direct children."""

    def uses_class(self, name: str) -> bool:
        """True if some provider has an inventory of this class."""

    def uses_trait(self, name: str) -> bool:
        """True if some provider has this trait."""

    def overdue(self, at: datetime) -> list[str]:
        """Requests whose holds' deadlines have passed, and which nobody recorded as expired."""


class Books(Protocol):
    """The ledger's load and save. All that one use case records is appended together."""

    @property
    def search(self) -> Search: ...

    def get(self, kind: type[A], id: str) -> A:
        """The aggregate as of the newest event; an empty one (version 0) if there is none."""

    def record(self, events: Sequence[Event]) -> None:
        """Apply the events and keep them for the append. They must be whole: all or none."""
