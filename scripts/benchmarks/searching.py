"""How long a search takes, in this process: by the live view alone, and with every candidate
confirmed by the aggregates."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from domain.choosing import asked, choices, refusal
from domain.component import AmountsComponent, UnitsComponent
from domain.demand import INDIFFERENT
from domain.placing import place_in_tree
from domain.provider import Provider
from domain.wish import Preference, Wish
from projections.demand_mix import mix_of
from scripts.benchmarks import clouds
from scripts.benchmarks.clouds import TRAIT, Cloud

LIMIT = 10
SMALLEST, MIDDLE = 1_000, 10_000
MARKS = {("flat", 10_000): 0.5, ("flat", 100_000): 3.0}
"""Milliseconds at the 99th percentile, by cloud and providers, for the service's own policy."""
ISOLATED = 8
MARK_ISOLATED = 10.0
MARK_EXPLAINED = 100.0


@dataclass(frozen=True)
class Searched:
    """Milliseconds of one search for ten trees (`search`), or for ten confirmed candidates."""

    cloud: str
    providers: int
    policy: str
    what: str
    p50: float
    p99: float
    mark: float | None = None


@dataclass(frozen=True)
class Isolated:
    """Milliseconds to place components on devices of one host, each on another."""

    components: int
    free_devices: int
    fits: bool
    p50: float
    worst: float


def measure(
    sizes: Sequence[int], policies: Sequence[Preference], rounds: int, seed: int, say: Say
) -> list[Searched]:
    found: list[Searched] = []
    builders: dict[str, Builder] = {
        "flat": clouds.flat_cloud,
        "nested": clouds.nested_cloud,
        "shared": clouds.shared_cloud,
    }
    for providers in sizes:
        for name, build in builders.items():
            say(f"a {name} cloud of {providers:,} providers is registered")
            cloud = build(providers, seed, policies[0])
            for preference in policies:
                say(f"{name}, {providers:,} providers, {preference.policy}")
                found += _searches(cloud, name, providers, preference, rounds)
    return found


def _searches(
    cloud: Cloud, name: str, providers: int, preference: Preference, rounds: int
) -> list[Searched]:
    books, chance = cloud.ledger.books, random.Random(providers)
    wishes = [WISHES[name](chance, preference) for _ in range(rounds)]
    wanted = [asked(books, wish, INDIFFERENT, seed=0) for wish in wishes]
    # The demand of late is what is asked here; nothing of it was measured before.
    books.view.mix.put(mix_of(0, wishes))
    policy = str(preference.policy)

    def search(index: int) -> int:
        trees = books.search.rank(wanted[index].demands[0], preference).trees()
        return len(list(islice(trees, LIMIT)))

    def confirm(index: int) -> int:
        return len(list(islice(choices(books, wanted[index]), LIMIT)))

    mark = MARKS.get((name, providers)) if policy == "first_fit" else None
    searched = _timed(search, rounds)
    confirmed = _timed(confirm, rounds)
    return [
        Searched(name, providers, policy, "search", *searched, mark),
        Searched(name, providers, policy, "confirmed", *confirmed),
    ]


def measure_isolated(seed: int) -> list[Isolated]:
    """Each of eight components wants one device of eight; with fewer free, or one component more,
    it cannot be done, and has to be known as soon."""
    cloud = clouds.nested_cloud(1, seed, Preference(policy="first_fit"))
    books = cloud.ledger.books
    cell = next(id for id, row in books.view.row_of.items() if "cell-0" in books.view.names[row])
    tree = [books.get(Provider, one) for one in books.search.tree_of(cell)]
    found: list[Isolated] = []
    for components, taken in ((ISOLATED, 0), (ISOLATED, 1), (ISOLATED + 1, 0)):
        labels = tuple(f"device-{number}" for number in range(components))
        wish = Wish(
            components=tuple(
                UnitsComponent(resource_class="SRIOV_NET_VF", label=label, granular=True)
                for label in labels
            ),
            different_providers=(labels,),
            within=cell,
        )
        (demand,) = asked(books, wish, INDIFFERENT, seed=0).demands
        some = [one for index, one in enumerate(tree) if not 1 < index <= 1 + taken]
        times = [
            _once(lambda: place_in_tree(demand, some))  # noqa: B023 - called at once.
            for _ in range(50)
        ]
        fits = place_in_tree(demand, some) is not None
        found.append(
            Isolated(components, ISOLATED - taken, fits, float(np.median(times)), max(times))
        )
    return found


def measure_explained(providers: int, seed: int) -> float:
    """Milliseconds to say why a request fits nowhere, with what would have helped; the worst of
    some."""
    cloud = clouds.flat_cloud(providers, seed, Preference(policy="first_fit"))
    books = cloud.ledger.books
    wish = Wish(
        components=(AmountsComponent(resources={"VCPU": 300, "MEMORY_MB": 4_096, "DISK_GB": 20}),),
        required_traits=(TRAIT,),
    )
    wanted = asked(books, wish, INDIFFERENT, seed=0)
    with _undisturbed():
        return max(_once(lambda: refusal(books, wanted)) for _ in range(20))


# --- What is asked for ----------------------------------------------------------------------------


def _flat_wish(chance: random.Random, preference: Preference) -> Wish:
    resources = {
        "VCPU": chance.choice((2, 4, 8, 16)),
        "MEMORY_MB": chance.choice((4_096, 8_192, 65_536)),
        "DISK_GB": chance.choice((20, 40, 100)),
    }
    return Wish(
        components=(AmountsComponent(resources=resources),),
        required_traits=(TRAIT,),
        preference=preference,
    )


def _nested_wish(chance: random.Random, preference: Preference) -> Wish:
    """CPUs and two devices of one NUMA cell, and memory of the host."""
    devices = tuple(
        UnitsComponent(resource_class="SRIOV_NET_VF", label=label, granular=True)
        for label in ("a", "b")
    )
    cpus = AmountsComponent(
        resources={"VCPU": chance.choice((2, 4, 8))}, label="cpus", granular=True
    )
    return Wish(
        components=(AmountsComponent(resources={"MEMORY_MB": 8_192}), cpus, *devices),
        same_subtree=(("cpus", "a", "b"),),
        different_providers=(("a", "b"),),
        preference=preference,
    )


def _shared_wish(chance: random.Random, preference: Preference) -> Wish:
    resources = {"VCPU": chance.choice((2, 4, 8)), "MEMORY_MB": 4_096, "DISK_GB": 100}
    return Wish(components=(AmountsComponent(resources=resources),), preference=preference)


WISHES: dict[str, Callable[[random.Random, Preference], Wish]] = {
    "flat": _flat_wish,
    "nested": _nested_wish,
    "shared": _shared_wish,
}
Builder = Callable[[int, int, Preference], Cloud]
Say = Callable[[str], None]


# --- Time -----------------------------------------------------------------------------------------


def _timed(work: Callable[[int], int], rounds: int) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    work(0)
    with _undisturbed():
        times = [_once(lambda: work(index)) for index in range(rounds)]  # noqa: B023
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """The cloud itself is no garbage: a service sees to it that it is not looked through."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _once(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1_000
