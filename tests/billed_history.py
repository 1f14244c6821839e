"""A random history of everything that bills depend on, through the real use cases, over two months:
claims, holds, resizes, partial releases, flavors, shared units, and units that change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from domain.billing import publish_prices
from domain.cloud import (
    change_inventories,
    define_flavor,
    define_resource_class,
    register_provider,
)
from domain.component import (
    AmountsComponent,
    AttributeCondition,
    AttributeRange,
    Expansion,
    FlavorComponent,
    Units,
    UnitsComponent,
)
from domain.errors import LedgerError
from domain.expanding import expand
from domain.inventory import DiscreteInventory, DivisibleInventory, Unit
from domain.price import ClassTarget, FlavorTarget, Price, Tier, UnitsTarget
from domain.price_book import Prices
from domain.wish import Option, Wish
from projections.projection import Recorded
from tests.projected_log import PROJECTS, RandomLedger

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
MODELS: tuple[Any, ...] = ("A", "B", 1, True)
FLAVORS = ("small", "gpu", "large")
BOOK = "standard"


class BilledHistory(RandomLedger):
    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.clock = BEGINS

    def tell(self, count: int) -> list[Recorded]:
        """So many calls, hours apart."""
        for name in ("CUSTOM_LICENSE",):
            self.ledger.run(define_resource_class, name, at=BEGINS)
        for number in range(2):
            self.ledger.run(
                register_provider,
                at=BEGINS,
                provider_id=f"{number:08}-0000-4000-8000-000000000000",
                name=f"host-{number}",
                parent_id=None,
                traits=frozenset(),
                inventories={"VCPU": DivisibleInventory(total=99), "PGPU": self._gpus()},
            )
            self.providers.append(f"{number:08}-0000-4000-8000-000000000000")
        self.clock += timedelta(hours=1)
        for name in FLAVORS:
            self.flavor(name)
        moves = [
            *[self.submit] * 6,
            *[self.release_part] * 3,
            *(self.release, self.confirm, self.withdraw, self.change, self.change),
            *(self.inventory, self.inventory, self.flavor),
        ]
        for _ in range(count):
            self.clock += timedelta(microseconds=self.random.randint(1, 40 * 3_600_000_000))
            try:
                self.random.choice(moves)()
            except LedgerError:
                continue
        return self.ledger.log.read(0, 1_000_000)

    def publish(self, prices: Prices) -> int:
        """The number of the publication."""
        book = self.ledger.run(publish_prices, BOOK, prices, at=self.clock)
        return len(book.published)

    # --- Calls ------------------------------------------------------------------------------------

    def inventory(self) -> None:
        self.run(change_inventories, self.provider(), {"PGPU": self._gpus()}, replace_all=False)

    def flavor(self, name: str | None = None) -> None:
        chance = self.random
        name = name or chance.choice(FLAVORS)
        units = [
            Units(
                resource_class="PGPU",
                count=chance.choice([1, 1, 2]),
                amount=chance.choice([None, 300, 500]),
                where=chance.choice([(), (), (condition("A"),), (large(),)]),
            )
            for _ in range({"small": 0, "gpu": 1, "large": 2}[name])
        ]
        resources = {"VCPU": chance.randint(1, 4)} if name != "gpu" else {}
        self.run(define_flavor, name, Expansion(resources=resources, units=tuple(units)))

    def _gpus(self) -> DiscreteInventory:
        chance = self.random

        def attributes() -> dict[str, Any]:
            size = chance.choice([16, 40, 80, "80"])
            kinds = [{}, {"model": chance.choice(MODELS), "r.ow": 1}, {"memory_gb": size}]
            return dict(chance.choice(kinds))

        return DiscreteInventory(
            units=tuple(
                Unit(name=name, capacity=1000, attributes=attributes())
                for name in chance.sample(["g0", "g1", "g2", "g10"], chance.randint(3, 4))
            )
        )

    def _wish(self) -> Wish:
        chance = self.random
        components: list[Any] = []
        for _ in range(chance.randint(1, 3)):
            kind = chance.choice(["amounts", "units", "flavor", "flavor"])
            if kind == "amounts":
                components.append(AmountsComponent(resources={"VCPU": chance.randint(1, 5)}))
            elif kind == "units":
                amount = chance.choice([None, 300])
                components.append(UnitsComponent(resource_class="PGPU", amount=amount))
            else:
                components.append(FlavorComponent(name=chance.choice(FLAVORS)))
        asked = Option(components=expand(self.ledger.books, components))
        if chance.random() < 0.7:
            return Wish(components=asked.components)
        # More than anybody has, so that it comes to the alternative.
        too_much = AmountsComponent(resources={"VCPU": 1_000_000})
        return Wish(components=(too_much,), alternatives=(asked,))


def large() -> AttributeRange:
    return AttributeRange(attribute="memory_gb", at_least=40)


def condition(*models: Any) -> AttributeCondition:
    if len(models) == 1:
        return AttributeCondition(attribute="model", equals=models[0])
    return AttributeCondition.model_validate({"attribute": "model", "in": models})


def random_book(chance: Random) -> Prices:
    """Class prices for all of time, so that nothing is without one, and others that come and go."""
    change = BEGINS + timedelta(hours=chance.randint(1, 60 * 24))
    prices = [
        _price(chance, f"{name} {n}", ClassTarget(resource_class=name), **dates)
        for name in ("VCPU", "PGPU")
        for n, dates in enumerate(({"valid_until": change}, {"valid_from": change}))
    ]
    for n, models in enumerate([("A",), ("B", 1, "A"), (True,)]):
        target = UnitsTarget(resource_class="PGPU", where=(condition(*models),))
        dates = chance.choice([{}, {"valid_from": change}])
        prices.append(_price(chance, f"units {n}", target, **dates))
    for name in FLAVORS:
        dates = chance.choice([{}, {"valid_until": change}])
        prices.append(_price(chance, name, FlavorTarget(name=name), **dates))
    chance.shuffle(prices)
    return Prices(
        currency=chance.choice(["EUR", "JPY", "KWD"]),
        month_rule=chance.choice(["calendar", "730_hours", "30_days"]),
        prices=tuple(prices),
    )


def _price(chance: Random, name: str, target: Any, **dates: Any) -> Price:
    bounds = sorted(chance.sample(range(1, 400), chance.randint(0, 2)))
    return Price(
        name=name,
        target=target,
        per=chance.choice(["second", "minute", "hour", "day", "month"]),
        amount=chance.choice([1, 1, 7, 1024]),
        tiers=tuple(
            Tier(above=Decimal(above) / 4, price=Decimal(chance.randint(0, 9_999)) / 1_000)
            for above in (0, *bounds)
        ),
        free_quantity=Decimal(chance.choice([0, 0, 5])) / 2,
        minimum_seconds=chance.choice([0, 3_600, 40 * 86_400]),
        applies_to=("claim", "hold") if name[-1] in "01" else ("claim",),
        **dates,
    )


__all__ = ["BOOK", "PROJECTS", "BilledHistory", "random_book"]
