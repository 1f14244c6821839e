"""What the use cases need from outside: streams by name, a place to record, and a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from domain.aggregate import Aggregate
from domain.decision import Relaxation, Scored, Stranding
from domain.demand import Demand
from domain.events import Event
from domain.request import Reason
from domain.wish import Preference

A = TypeVar("A", bound=Aggregate)


class Ranking(Protocol):
    """Trees that might serve a demand, the preferred ones first; lazily."""

    def trees(self) -> Iterator[tuple[str, ...]]:
        """Each as provider ids, the root first, and last those that share with the tree."""

    @property
    def fitting(self) -> int | None:
        """How many there are; None if nobody counted."""

    def best(self, count: int) -> tuple[Scored, ...]:
        """The first of them that are known so far, with their scores."""

    def score(self, root_id: str) -> int:
        """Of a tree that was proposed."""

    def stranding(self, root_id: str) -> Stranding | None:
        """What the demand would strand there; None where nobody asked for it."""


class Search(Protocol):
    """The proposer: it may be wrong about what fits, and then the aggregates say no."""

    def rank(self, demand: Demand, preference: Preference) -> Ranking:
        """The preference has its policy or weights, and its seed if chance is to be used."""

    def reasons(self, demand: Demand) -> tuple[tuple[Reason, ...], int]:
        """Why no tree serves it, by equal reasons; and how many trees were considered."""

    def relaxations(self, demand: Demand) -> Iterator[Relaxation]:
        """Less strict demands that might be served, the smallest change first; lazily."""

    def tree_of(self, provider_id: str) -> tuple[str, ...]:
        """As a ranking proposes it: the tree that the provider is in, and what shares with it.
        Empty if there is no such provider."""

    def knows(self, provider_id: str) -> bool:
        """True if there is such a provider."""

    def root_of(self, provider_id: str) -> str:
        """The root of the tree that the provider is in."""

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

    @property
    def preference(self) -> Preference:
        """Where a request states none."""

    def get(self, kind: type[A], id: str) -> A:
        """The aggregate as of the newest event; an empty one (version 0) if there is none."""

    def record(self, events: Sequence[Event]) -> None:
        """Apply the events and keep them for the append. They must be whole: all or none."""
