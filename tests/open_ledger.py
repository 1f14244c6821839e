"""A ledger on a real event store, without HTTP and without the writer: one append per use case."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from domain.aggregate import Aggregate
from domain.allocation import Shares
from domain.claim import Claim
from domain.cloud import define_resource_class, define_trait, register_provider
from domain.component import AmountsComponent, Consumer, Units, UnitsComponent
from domain.inventory import (
    DiscreteInventory,
    DivisibleInventory,
    Inventory,
    Unit,
)
from domain.ledger import expire_overdue, release_claim, submit_request
from domain.provider import Provider
from domain.request import Request
from domain.wish import Wish
from infra.database import open_database
from infra.event_log import EventLog
from infra.memory_books import MemoryBooks
from infra.settings import Settings
from projections.live_capacity import LiveCapacity

A = TypeVar("A", bound=Aggregate)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def settings_from(environment: dict[str, str]) -> Settings:
    """Settings as a service with this environment would read them."""
    url = environment.get("TALLYSTICK_DATABASE_URL")
    return Settings(
        data=Path(environment["TALLYSTICK_DATA"]),
        database_url=None if url is None else SecretStr(url),
    )


def after(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


class OpenLedger:
    """Runs use cases as the writer would, at times of the test's own choosing."""

    def __init__(self, settings: Settings) -> None:
        self.database = open_database(settings)
        self.database.create_tables()
        self.log = EventLog(self.database)
        self.books = self.reopened()
        self._made = 0

    def close(self) -> None:
        self.database.close()

    def reopened(self) -> MemoryBooks:
        """Books read anew from the log, as another process would have them."""
        books = MemoryBooks(self.log, LiveCapacity(), 0)
        books.catch_up()
        return books

    def run(self, use_case: Callable[..., A], *args: Any, at: datetime = NOON, **facts: Any) -> A:
        """Decide and append; a refused call leaves nothing behind."""
        self.books.catch_up()
        expire_overdue(self.books, at)
        try:
            result = use_case(self.books, at, *args, **facts)
        except Exception:
            self.books.roll_back()
            raise
        self.append()
        return result

    def append(self) -> None:
        if self.books.pending:
            self.books.commit(self.log.append(self.books.pending))

    # --- Builders ---------------------------------------------------------------------------------

    def host(
        self,
        name: str,
        *,
        parent: str | None = None,
        traits: tuple[str, ...] = (),
        at: datetime = NOON,
        **inventories: Inventory | int,
    ) -> str:
        """Register a provider; a plain number is a divisible inventory of that total."""
        for trait in traits:
            self.run(define_trait, trait, at=at)
        for resource_class in inventories:
            self.run(define_resource_class, resource_class, at=at)
        provider = self.run(
            register_provider,
            at=at,
            provider_id=f"00000000-0000-4000-8000-{len(self.books.view.ids):012}",
            name=name,
            parent_id=parent,
            traits=frozenset(traits),
            inventories={
                resource_class: DivisibleInventory(total=one) if isinstance(one, int) else one
                for resource_class, one in inventories.items()
            },
        )
        return provider.id

    def ask(
        self,
        consumer: str,
        *units: Units,
        at: datetime = NOON,
        hold_until: datetime | None = None,
        within: str | None = None,
        required: tuple[str, ...] = (),
        forbidden: tuple[str, ...] = (),
        any_of: tuple[tuple[str, ...], ...] = (),
        **amounts: int,
    ) -> Request:
        """Submit a request for amounts and units."""
        asked = wish(
            *units,
            within=within,
            required_traits=required,
            forbidden_traits=forbidden,
            any_of_traits=any_of,
            **amounts,
        )
        return self.submit(consumer, asked, at=at, hold_until=hold_until)

    def submit(
        self,
        consumer: str,
        asked: Wish,
        *,
        group: str | None = None,
        at: datetime = NOON,
        hold_until: datetime | None = None,
    ) -> Request:
        self._made += 1
        return self.run(
            submit_request,
            at=at,
            request_id=f"10000000-0000-4000-8000-{self._made:012}",
            consumer=Consumer(id=consumer, group=group),
            project_id="project",
            user_id="user",
            wish=asked,
            hold_until=hold_until,
            seed=self._made,
        )

    def release(self, consumer: str, *, at: datetime = NOON) -> Claim:
        return self.run(release_claim, consumer, at=at)

    def usage(self, provider_id: str, resource_class: str) -> int:
        return self.books.get(Provider, provider_id).usage.get(resource_class, 0)


def wish(*units: Units, **fields: Any) -> Wish:
    """Upper-case fields are amounts, the others the wish's own."""
    amounts = {name: n for name, n in fields.items() if name.isupper()}
    others = {name: value for name, value in fields.items() if not name.isupper()}
    components: list[Any] = [AmountsComponent(resources=amounts)] if amounts else []
    components += [UnitsComponent(**one.model_dump(by_alias=True)) for one in units]
    return Wish(components=tuple(components), **others)


def gpus(*names: str, capacity: int = 1000, **attributes: str | int | bool) -> DiscreteInventory:
    return DiscreteInventory(
        units=tuple(Unit(name=name, capacity=capacity, attributes=attributes) for name in names)
    )


def held(shares: Shares) -> dict[str, dict[str, int]]:
    """Amounts by provider and class."""
    return {provider_id: dict(share.resources) for provider_id, share in shares.items()}
