"""A random but valid history, made by the domain's own decisions, and the read models over it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from domain.aggregate import Aggregate
from domain.allocation import Share, Shares
from domain.billing import close_statement, correct_statement, publish_prices
from domain.charge import Charge
from domain.claim import Claim
from domain.cloud import (
    change_groups,
    change_inventories,
    change_traits,
    define_flavor,
    define_resource_class,
    define_trait,
    delete_provider,
    describe_provider,
    register_provider,
    remove_flavor,
    remove_resource_class,
    remove_trait,
)
from domain.component import Consumer, Expansion, Units
from domain.errors import LedgerError
from domain.expanding import expand
from domain.gangs import MemberRequest, submit_gang
from domain.idempotency import IdempotencyKey
from domain.inventory import DiscreteInventory, DivisibleInventory
from domain.ledger import (
    change_claim,
    confirm_request,
    release_claim,
    submit_request,
    withdraw_request,
)
from domain.price import ClassTarget, Price, Tier
from domain.price_book import Prices
from domain.provider import Provider
from domain.request import Request
from domain.wish import Wish
from infra.database import Database
from infra.settings import Settings
from projections.all import projections
from projections.bulk import ROWS_AS_DOCUMENT
from projections.projection import Recorded, apply_page
from tests.assigned_log import assigning_moves
from tests.open_ledger import NOON, OpenLedger, gpus, wish

TRAITS = ("HW_CPU_X86_AVX2", "CUSTOM_SSD", "CUSTOM_GREEN")
CLASSES = ("VCPU", "MEMORY_MB", "PGPU", "CUSTOM_LICENSE")
CONSUMERS = tuple(f"server-{n}" for n in range(8))
PROJECTS = ("red", "blue")
USERS = ("ada", "ben")


class RandomLedger:
    """Runs random calls at random times; those that make no sense are refused and leave nothing."""

    def __init__(self, folder: Path, seed: int, *, assigning: bool = False) -> None:
        self.assigning = assigning
        self.ledger = OpenLedger(Settings(data=folder))
        self.random = random.Random(seed)
        self.clock = NOON
        self.providers: list[str] = []
        self.requests: list[str] = []
        self.keys = 0

    def steps(self, count: int) -> list[Recorded]:
        for name in TRAITS[1:]:
            self.ledger.run(define_trait, name)
        self.ledger.run(define_resource_class, CLASSES[-1])
        while len(self.providers) < 3:
            with suppress(LedgerError):  # Two of the same name.
                self.register()
        moves = self._moves()
        for _ in range(count):
            self.clock += timedelta(microseconds=self.random.randint(1, 60_000_000))
            with suppress(LedgerError):
                self.random.choice(moves)()
        return self.ledger.log.read(0, 1_000_000)

    def _moves(self) -> list[Callable[[], object]]:
        often = [self.submit, self.submit, self.submit, self.release, self.confirm]
        return [
            *often,
            *often,
            *(
                self.withdraw,
                self.withdraw,
                self.change,
                self.release_part,
                self.release_part,
                self.inventory,
            ),
            *(self.register, self.traits, self.delete, self.flavor, self.flavor),
            *(self.describe, self.describe, self.describe, self.catalog, self.catalog),
            *(self.prices, self.bill, self.groups, self.gang),
            *(assigning_moves(self, CONSUMERS) if self.assigning else ()),
        ]

    def run(self, use_case: Callable[..., Aggregate], *args: Any, **facts: Any) -> Aggregate:
        """Mostly now, sometimes a little earlier: only within one stream is time in order."""
        back = self.random.choice([0, 0, 0, 90])
        at = self.clock - timedelta(seconds=back)
        return self.ledger.run(use_case, *args, at=at, **facts)

    def id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128)))

    # --- Calls ------------------------------------------------------------------------------------

    def register(self) -> None:
        provider_id = self.id()
        parent = self.random.choice([None, None, self.provider()])
        self.run(
            register_provider,
            provider_id=provider_id,
            name=f"host-{self.random.randrange(30)}",
            parent_id=parent,
            traits=self._traits(),
            inventories={"VCPU": DivisibleInventory(total=8), "PGPU": gpus("g0", "g1", model="A")},
        )
        self.providers.append(provider_id)

    def describe(self) -> None:
        self.run(
            describe_provider,
            self.provider(),
            name=self.random.choice([None, f"host-{self.random.randrange(30)}"]),
            parent_id=self.random.choice([None, None, self.provider()]),
            move=self.random.random() < 0.7,
        )

    def traits(self) -> None:
        self.run(change_traits, self.provider(), self._traits())

    def groups(self) -> None:
        groups = self.random.sample(["rack-1", "rack-2"], self.random.randrange(3))
        self.run(change_groups, self.provider(), frozenset(groups))

    def gang(self) -> None:
        """Of two who will not be together; often it does not fit. What they held is given back."""
        pair = [f"pair-{number}" for number in self.random.sample(range(3), 2)]
        for consumer_id in pair:
            if self.ledger.books.get(Claim, consumer_id).status == "active":
                self.run(release_claim, consumer_id)
        members = [
            MemberRequest(
                request_id=self.id(),
                consumer=Consumer(id=consumer_id, group="pair-1"),
                project_id=PROJECTS[0],
                user_id=USERS[0],
                wish=wish(VCPU=self.random.randint(1, 4), affinity="anti_affinity"),
            )
            for consumer_id in pair
        ]
        self.run(submit_gang, gang_id=self.id(), members=members, hold_until=None)
        self.requests += [one.request_id for one in members]

    def inventory(self) -> None:
        name = self.random.choice(CLASSES)
        made: DivisibleInventory | DiscreteInventory | None = None
        if name == "PGPU":
            made = gpus(*self.random.sample(["g0", "g1", "g2"], 2), model="B")
        elif self.random.random() < 0.8:
            total = self.random.randint(1, 16)
            made = DivisibleInventory(
                total=total, reserved=total // 4, allocation_ratio=Decimal("1.5")
            )
        self.run(
            change_inventories,
            self.provider(),
            {name: made},
            replace_all=self.random.random() < 0.1,
        )

    def delete(self) -> None:
        self.run(delete_provider, self.provider())

    def submit_too_much(self) -> None:
        """Nothing ever fits it, so it is refused with a reason for every tree."""
        self._submit("giant", wish(VCPU=1000))

    def submit(self) -> None:
        self._submit(self.random.choice(CONSUMERS), self._wish())

    def _submit(self, consumer_id: str, asked_for: Wish) -> None:
        request_id = self.id()
        until = self.clock + timedelta(seconds=self.random.randint(1, 400))
        asked = self.run(
            submit_request,
            request_id=request_id,
            consumer=Consumer(id=consumer_id, type=self.random.choice("ab")),
            project_id=self.random.choice(PROJECTS),
            user_id=self.random.choice(USERS),
            wish=asked_for,
            hold_until=self.random.choice([None, until]),
        )
        self.requests.append(request_id)
        self._answer(asked)

    def confirm(self) -> None:
        self.run(confirm_request, self._request())

    def withdraw(self) -> None:
        self.run(withdraw_request, self._request())

    def change(self) -> None:
        consumer_id = self.random.choice(CONSUMERS)
        request_id = self.id()
        self.run(change_claim, request_id=request_id, consumer_id=consumer_id, wish=self._wish())
        self.requests.append(request_id)

    def release(self) -> None:
        self.run(release_claim, self.random.choice(CONSUMERS))

    def release_part(self) -> None:
        consumer_id = self.random.choice(CONSUMERS)
        shares = self.ledger.books.get(Claim, consumer_id).shares
        if shares:
            self.run(release_claim, consumer_id, self._part(shares))

    def catalog(self) -> None:
        define, remove, name = self.random.choice(
            [
                (define_trait, remove_trait, f"CUSTOM_T{self.random.randrange(3)}"),
                (define_resource_class, remove_resource_class, "CUSTOM_C"),
            ]
        )
        self.run(self.random.choice([define, remove]), name)

    def flavor(self) -> None:
        name = self.random.choice(["small", "large"])
        if self.random.random() < 0.3:
            self.run(remove_flavor, name)
            return
        expansion = Expansion(
            resources={"VCPU": self.random.randint(1, 4)}, required_traits=(TRAITS[0],)
        )
        self.run(define_flavor, name, expansion)
        expand(self.ledger.books, [])

    def prices(self) -> None:
        cost = Decimal(self.random.randint(1, 9)) / 100
        price = Price(
            name="CPU",
            target=ClassTarget(resource_class="VCPU"),
            per="hour",
            tiers=(Tier(price=cost),),
        )
        self.run(publish_prices, "book-1", Prices(currency="EUR", prices=(price,)))

    def bill(self) -> None:
        """Close the statement of some day; if that is closed, correct it."""
        facts: dict[str, Any] = {
            "project_id": self.random.choice(PROJECTS),
            "price_book": "book-1",
            "period": f"2025-12-{self.random.randint(29, 31)}",
            "charge": Charge(
                price_book_number=1,
                position=1_000_000 - self.random.randrange(10),
                rating=1,
                currency="EUR",
                total=Decimal(self.random.randrange(1000)) / 100,
                lines=1,
                digest=f"{self.random.getrandbits(256):064x}",
            ),
        }
        with suppress(LedgerError):
            self.run(close_statement, **facts)
            return
        self.run(correct_statement, **facts, reason="a late release")

    # --- Parts of them ----------------------------------------------------------------------------

    def provider(self) -> str | None:
        """One that is there, if there is one."""
        books = self.ledger.books
        there = [id for id in self.providers if books.get(Provider, id).exists]
        return self.random.choice(there) if there else None

    def _request(self) -> str:
        """Mostly one that is held, as far as the ledger knows."""
        books = self.ledger.books
        held = [id for id in self.requests[-20:] if books.get(Request, id).status == "held"]
        return self.random.choice([*held, *self.requests[-1:], "none"])

    def _traits(self) -> frozenset[str]:
        return frozenset(self.random.sample(TRAITS, self.random.randrange(3)))

    def _wish(self) -> Wish:
        units = [Units(resource_class="PGPU", amount=self.random.choice([None, 300]))]
        return wish(
            *self.random.choice([[], [], units]),
            VCPU=self.random.randint(1, 5),
            required_traits=self.random.choice([(), (), (TRAITS[0],)]),
            within=self.random.choice([None, None, self.provider()]),
        )

    def _part(self, shares: Shares) -> Shares:
        provider_id, share = self.random.choice(sorted(shares.items()))
        name, amount = self.random.choice(sorted(share.resources.items()))
        if name not in share.units:
            return {provider_id: Share(resources={name: self.random.randint(1, amount)})}
        unit, whole = self.random.choice(sorted(share.units[name].items()))
        part = self.random.randint(1, whole)
        return {provider_id: Share(resources={name: part}, units={name: {unit: part}})}

    def _answer(self, about: Aggregate) -> None:
        """Half of the requests come with a key."""
        if self.random.random() < 0.5:
            self.keys += 1
            books = self.ledger.books
            key = books.get(IdempotencyKey, f"key-{self.keys}")
            books.record([key.done(self.clock, "abc", about, created=True)])
            self.ledger.append()


# --- The read models over a log -------------------------------------------------------------------


def random_log(folder: Path, seed: int, steps: int, *, assigning: bool = False) -> list[Recorded]:
    made = RandomLedger(folder, seed, assigning=assigning)
    try:
        return made.steps(steps)
    finally:
        made.ledger.close()


def engine_of(database: Database) -> Engine:
    """A place for all read models together, beside those of the service."""
    database.create_place("all")
    return database.read_models("all")


def project(
    engine: Engine, pages: Sequence[Sequence[Recorded]], *, as_document: bool = False
) -> None:
    """Build every read model anew from these pages, a transaction for each."""
    engine = engine.execution_options(**{ROWS_AS_DOCUMENT: as_document})
    for projection in projections():
        with engine.begin() as connection:
            projection.metadata.drop_all(connection)
            projection.metadata.create_all(connection)
        for page in pages:
            with engine.begin() as connection:
                apply_page(projection, connection, page)


def cut(log: Sequence[Recorded], places: Sequence[int]) -> list[Sequence[Recorded]]:
    """The log in pages that end at these places."""
    bounds = [0, *sorted({place for place in places if 0 < place < len(log)}), len(log)]
    return [log[first:last] for first, last in pairwise(bounds)]


def contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every read model."""
    return {
        table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
        for projection in projections()
        for table in projection.metadata.sorted_tables
    }


def providers_at(log: Sequence[Recorded], at: datetime) -> Iterator[tuple[int, Provider]]:
    """The providers' own states at a time, each with the position of its registration."""
    for position, state in _states_at(log, Provider, at):
        assert isinstance(state, Provider)
        yield position, state


def claims_at(log: Sequence[Recorded], at: datetime) -> dict[str, Claim]:
    return {state.id: state for _, state in _states_at(log, Claim, at) if isinstance(state, Claim)}


def _states_at(
    log: Sequence[Recorded], kind: type[Aggregate], at: datetime
) -> Iterator[tuple[int, Aggregate]]:
    found: dict[str, tuple[int, Aggregate]] = {}
    for recorded in log:
        category, _, id = recorded.event.originator_id.partition(":")
        if category == kind.CATEGORY and recorded.event.at <= at:
            _, state = found.setdefault(id, (recorded.position, kind(id)))
            state.apply(recorded.event)
    yield from found.values()
