"""Every kind of stream, and so every event: the one list that the rest of the house reads."""

from __future__ import annotations

from functools import cache

from domain.aggregate import Aggregate
from domain.catalog import NameReservation, ResourceClass, Trait
from domain.claim import Claim
from domain.closed_statements import ClosedStatements
from domain.consumer_group import ConsumerGroup
from domain.events import Event
from domain.flavor import Flavor
from domain.gang import Gang
from domain.idempotency import IdempotencyKey
from domain.price_book import PriceBook
from domain.provider import Provider
from domain.request import Request

AGGREGATES: tuple[type[Aggregate], ...] = (
    Provider,
    Claim,
    Request,
    Gang,
    ConsumerGroup,
    Flavor,
    PriceBook,
    ClosedStatements,
    ResourceClass,
    Trait,
    NameReservation,
    IdempotencyKey,
)


@cache
def _by_category() -> dict[str, type[Aggregate]]:
    return {kind.CATEGORY: kind for kind in AGGREGATES}


def empty_aggregate(stream: str) -> Aggregate:
    """The aggregate of a stream, before its first event."""
    category, _, id = stream.partition(":")
    return _by_category()[category](id)


def id_of(stream: str) -> str:
    return stream.partition(":")[2]


@cache
def event_types() -> dict[str, type[Event]]:
    """Every event class of the domain by its stored name."""
    return {
        kind.TOPIC: kind for kind in _leaves(Event) if kind.__module__.startswith(f"{__package__}.")
    }


def topics_of(*kinds: type[Event]) -> frozenset[str]:
    return frozenset(kind.TOPIC for kind in kinds)


def _leaves(kind: type[Event]) -> list[type[Event]]:
    below = [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]
    return below or [kind]
