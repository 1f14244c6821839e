"""What requests can say, and what the ledger makes of it: one rule a test."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain import fit
from domain.allocation import Shares
from domain.cloud import change_groups
from domain.component import AmountsComponent, AttributeRange, Units, UnitsComponent
from domain.demand import Demand
from domain.inventory import DiscreteInventory, Unit
from domain.ledger import change_claim
from domain.placing import Effort, place_in_tree
from domain.provider import Provider
from domain.request import Request
from domain.wish import Option, Preference, Wish
from tests.brute_force import SHARES
from tests.open_ledger import OpenLedger, gpus, held


def amounts(label: str | None = None, *, where: dict[str, Any] | None = None, **asked: int) -> Any:
    return AmountsComponent(resources=asked, label=label, granular=True, **(where or {}))


def units(label: str | None = None, **asked: Any) -> UnitsComponent:
    return UnitsComponent(resource_class="PGPU", label=label, granular=True, **asked)


def numa_host(ledger: OpenLedger, name: str, *, devices: int = 2) -> tuple[str, list[str]]:
    """A host with memory, and two cells with CPUs; below each cell a provider for each device."""
    host = ledger.host(name, MEMORY_MB=1024)
    cells = [ledger.host(f"{name}-cell{n}", parent=host, VCPU=8) for n in range(2)]
    for number, cell in enumerate(cells):
        for device in range(devices):
            gpu = gpus("gpu", capacity=1)
            ledger.host(f"{name}-gpu{number}-{device}", parent=cell, PGPU=gpu)
    return host, cells


def names(ledger: OpenLedger, shares: Shares) -> list[str]:
    view = ledger.books.view
    return sorted(view.names[view.row_of[one]] for one in shares)


# --- Where components come from -------------------------------------------------------------------


def test_a_granular_component_comes_whole_from_one_provider(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=2)
    ledger.host("cell", parent=host, MEMORY_MB=64)
    both = AmountsComponent(resources={"VCPU": 1, "MEMORY_MB": 1})
    assert ledger.submit("spread", Wish(components=(both,))).status == "placed"
    whole = both.model_copy(update={"granular": True})
    assert ledger.submit("whole", Wish(components=(whole,))).status == "refused"


def test_components_have_traits_and_groups_of_their_own(ledger: OpenLedger) -> None:
    host = ledger.host("host", MEMORY_MB=64)
    fast = ledger.host("fast", parent=host, VCPU=4, traits=("CUSTOM_FAST",))
    slow = ledger.host("slow", parent=host, VCPU=4, traits=("CUSTOM_SLOW",))
    ledger.run(change_groups, slow, frozenset({"rack-1"}))
    request = ledger.submit(
        "server",
        Wish(
            components=(
                amounts(VCPU=1, where={"required_traits": ("CUSTOM_SLOW",)}),
                amounts(VCPU=2, where={"forbidden_traits": ("CUSTOM_SLOW",)}),
                amounts(VCPU=3, where={"member_of": (("rack-1", "rack-2"),)}),
                amounts(VCPU=1, where={"not_member_of": ("rack-1",)}),
            )
        ),
    )
    assert held(request.shares) == {slow: {"VCPU": 4}, fast: {"VCPU": 3}}
    assert request.mappings == ((slow,), (fast,), (slow,), (fast,))


def test_the_groups_of_a_root_count_for_its_tree_but_not_for_a_granular_component(
    ledger: OpenLedger,
) -> None:
    host = ledger.host("host")
    ledger.host("cell", parent=host, VCPU=4)
    ledger.run(change_groups, host, frozenset({"zone-a"}))
    somewhere = AmountsComponent(resources={"VCPU": 1}, member_of=(("zone-a",),))
    assert ledger.submit("any", Wish(components=(somewhere,))).status == "placed"
    alone = somewhere.model_copy(update={"granular": True})
    assert ledger.submit("alone", Wish(components=(alone,))).status == "refused"


def test_a_pool_serves_the_hosts_of_its_group_and_no_others(ledger: OpenLedger) -> None:
    near, far = ledger.host("near", VCPU=4), ledger.host("far", VCPU=4)
    pool = ledger.host("pool", DISK_GB=100, traits=(SHARES,))
    for one in (near, pool):
        ledger.run(change_groups, one, frozenset({"row-1"}))
    wish = Wish(components=(AmountsComponent(resources={"VCPU": 3, "DISK_GB": 60}),))
    assert held(ledger.submit("first", wish).shares) == {near: {"VCPU": 3}, pool: {"DISK_GB": 60}}
    refused = ledger.submit("second", wish)
    assert {reason.code for reason in refused.reasons} == {
        fit.SHORT_OF_CAPACITY,
        fit.NO_INVENTORY,
    }
    far_only = wish.model_copy(update={"in_tree": far})
    assert ledger.submit("third", far_only).status == "refused"


def test_a_component_may_be_asked_for_within_a_pool_that_shares(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    pool, other = (ledger.host(name, DISK_GB=100, traits=(SHARES,)) for name in ("a", "b"))
    for one in (host, pool, other):
        ledger.run(change_groups, one, frozenset({"row-1"}))
    components = (amounts(VCPU=1), amounts(DISK_GB=1, where={"within": other}))
    placed = ledger.submit("server", Wish(components=components))
    assert held(placed.shares) == {host: {"VCPU": 1}, other: {"DISK_GB": 1}}


def test_components_in_one_subtree_share_a_numa_cell(ledger: OpenLedger) -> None:
    numa_host(ledger, "host")
    components = (amounts("cpu", VCPU=4), units("gpu-a"), units("gpu-b"))
    rule = (("cpu", "gpu-a", "gpu-b"),)
    wish = Wish(components=components, same_subtree=rule)
    for cell in range(2):
        shares = ledger.submit(f"server-{cell}", wish).shares
        assert names(ledger, shares) == [
            f"host-cell{cell}",
            f"host-gpu{cell}-0",
            f"host-gpu{cell}-1",
        ]
    assert ledger.submit("third", wish).status == "refused"


def test_components_on_different_providers_share_none(ledger: OpenLedger) -> None:
    numa_host(ledger, "host")
    components = (amounts("a", VCPU=4), amounts("b", VCPU=4))
    together = ledger.submit("together", Wish(components=components))
    assert names(ledger, together.shares) == ["host-cell0"]
    apart = Wish(components=components, different_providers=(("a", "b"),))
    refused = ledger.submit("apart", apart)
    assert [reason.code for reason in refused.reasons] == [fit.DOES_NOT_FIT_TOGETHER]
    ledger.release("together")
    placed = ledger.submit("apart", apart)
    assert names(ledger, placed.shares) == ["host-cell0", "host-cell1"]


def test_eight_components_find_eight_devices_and_nine_are_refused_at_once(
    ledger: OpenLedger,
) -> None:
    numa_host(ledger, "host", devices=4)

    def isolated(count: int) -> Wish:
        labels = tuple(f"d{number}" for number in range(count))
        components = tuple(units(label) for label in labels)
        return Wish(components=components, different_providers=(labels,))

    assert ledger.submit("greedy", isolated(9)).status == "refused"
    assert len(ledger.submit("all", isolated(8)).shares) == 8


def test_labels_have_to_be_known_and_said_once() -> None:
    one = amounts("a", VCPU=1)
    with pytest.raises(ValidationError, match="no component has the label b"):
        Wish(components=(one,), same_subtree=(("a", "b"),))
    with pytest.raises(ValidationError, match="the same label"):
        Wish(components=(one, one))


# --- Discrete units -------------------------------------------------------------------------------


def mixed_gpus() -> DiscreteInventory:
    told = [("V100", 16, 0), ("V100", 32, 0), ("A100", 40, 1), ("A100", 80, 1)]
    return DiscreteInventory(
        units=tuple(
            Unit(name=f"g{n}", attributes={"model": model, "memory_gb": size, "numa_node": node})
            for n, (model, size, node) in enumerate(told)
        )
    )


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({"where": (AttributeRange(attribute="memory_gb", at_least=40),)}, {"g2"}),
        ({"where": (AttributeRange(attribute="memory_gb", at_least=17, at_most=39),)}, {"g1"}),
        ({"count": 2, "alike": ("model",)}, {"g0", "g1"}),
        ({"count": 2, "different": ("model",)}, {"g0", "g2"}),
        ({"count": 2, "alike": ("numa_node",), "different": ("memory_gb",)}, {"g0", "g1"}),
        ({"count": 3, "alike": ("model",)}, None),
        ({"count": 3, "different": ("model",)}, None),
        ({"alike": ("colour",)}, None),
        ({"where": (AttributeRange(attribute="model", at_least=1),)}, None),
    ],
)
def test_units_are_in_a_range_alike_or_different(
    ledger: OpenLedger, asked: dict[str, Any], chosen: set[str] | None
) -> None:
    host = ledger.host("host", PGPU=mixed_gpus())
    request = ledger.ask("server", Units(resource_class="PGPU", **asked))
    if chosen is None:
        assert [reason.code for reason in request.reasons] == [fit.NO_MATCHING_UNIT]
    else:
        assert set(request.shares[host].units["PGPU"]) == chosen


def test_a_selection_leaves_the_units_that_another_one_needs(ledger: OpenLedger) -> None:
    host = ledger.host("host", PGPU=mixed_gpus())
    large = AttributeRange(attribute="memory_gb", at_least=80)
    request = ledger.ask(
        "server",
        Units(resource_class="PGPU", count=3),
        Units(resource_class="PGPU", where=(large,)),
    )
    assert set(request.shares[host].units["PGPU"]) == {"g0", "g1", "g2", "g3"}


# --- Alternatives ---------------------------------------------------------------------------------


def eight_or_four() -> Wish:
    def of(model: str, count: int) -> UnitsComponent:
        where = {"attribute": "model", "equals": model}
        return UnitsComponent.model_validate(
            {"resource_class": "PGPU", "count": count, "where": [where]}
        )

    return Wish(components=(of("V100", 8),), alternatives=(Option(components=(of("A100", 4),)),))


def test_alternatives_are_tried_in_their_order_with_amounts_of_their_own(
    ledger: OpenLedger,
) -> None:
    ledger.host("few", PGPU=gpus(*(f"g{n}" for n in range(4)), model="V100"))
    new = ledger.host("new", PGPU=gpus(*(f"g{n}" for n in range(4)), model="A100"))
    request = ledger.submit("first", eight_or_four())
    assert held(request.shares) == {new: {"PGPU": 4000}}
    assert request.decision is not None
    assert request.decision.option == 1
    refused = ledger.submit("second", eight_or_four())
    assert {(reason.option, reason.code) for reason in refused.reasons} == {
        (0, fit.NO_MATCHING_UNIT),
        (1, fit.NO_MATCHING_UNIT),
        (1, fit.TOO_FEW_FREE_UNITS),
    }
    many = ledger.host("many", PGPU=gpus(*(f"g{n}" for n in range(8)), model="V100"))
    assert list(ledger.submit("third", eight_or_four()).shares) == [many]


def test_a_claim_is_changed_to_whatever_option_fits(ledger: OpenLedger) -> None:
    old = ledger.host("old", PGPU=gpus(*(f"g{n}" for n in range(4)), model="A100"))
    ledger.ask("server", Units(resource_class="PGPU", count=4))
    changed = ledger.run(
        change_claim, request_id="change-1", consumer_id="server", wish=eight_or_four()
    )
    assert held(changed.shares) == {old: {"PGPU": 4000}}


# --- Preferences ----------------------------------------------------------------------------------


def request_with(ledger: OpenLedger, consumer: str, **preference: Any) -> Request:
    wish = Wish(components=(amounts(VCPU=1),), preference=Preference(**preference))
    request = ledger.submit(consumer, wish)
    assert request.decision is not None
    return request


def three_hosts(ledger: OpenLedger) -> None:
    for name, used in (("middle", 4), ("full", 6), ("empty", 0)):
        host = ledger.host(name, VCPU=8)
        if used:
            ledger.ask(f"of-{name}", VCPU=used, within=host)


@pytest.mark.parametrize(
    ("preference", "where"),
    [
        ({"policy": "first_fit"}, "middle"),
        ({"policy": "pack"}, "full"),
        ({"policy": "spread"}, "empty"),
        ({"policy": "pack", "classes": ("MEMORY_MB",)}, "middle"),
        ({"weights": {"pack": 2, "spread": 1}}, "full"),
        ({"weights": {"pack": 1, "spread": 2}}, "empty"),
        ({}, "middle"),
    ],
)
def test_the_preference_says_which_of_the_trees_that_fit(
    ledger: OpenLedger, preference: dict[str, Any], where: str
) -> None:
    three_hosts(ledger)
    request = request_with(ledger, "server", **preference)
    assert names(ledger, request.shares) == [where]
    assert request.decision is not None
    assert request.decision.chosen in request.shares


def test_chance_is_recorded_and_the_same_seed_chooses_the_same(ledger: OpenLedger) -> None:
    three_hosts(ledger)
    chosen: dict[int, str] = {}
    for seed in range(12):
        request = request_with(ledger, "server", policy="spread", among=3, seed=seed)
        chosen[seed] = names(ledger, request.shares)[0]
        ledger.release("server")
    assert set(chosen.values()) == {"middle", "full", "empty"}
    for seed, where in chosen.items():
        request = request_with(ledger, "server", policy="spread", among=3, seed=seed)
        assert names(ledger, request.shares) == [where]
        ledger.release("server")
    drawn = request_with(ledger, "server", policy="spread", among=3)
    assert drawn.decision is not None
    assert drawn.decision.preference.seed is not None


def test_a_preference_is_a_policy_or_weights_and_not_both() -> None:
    with pytest.raises(ValidationError, match="either a `policy` or `weights`"):
        Preference(policy="pack", weights={"pack": 1})


# --- What is too hard -----------------------------------------------------------------------------


def test_a_demand_that_competes_in_too_many_ways_is_given_up_in_time(ledger: OpenLedger) -> None:
    """Twelve cells of 7 CPUs, and 24 parts of 5 and 3, 84 CPUs together: they cannot be packed."""
    host = ledger.host("host")
    for number in range(12):
        ledger.host(f"cell{number}", parent=host, VCPU=7)
    parts = [amounts(VCPU=5 if number < 6 else 3) for number in range(24)]
    refused = ledger.submit("server", Wish(components=tuple(parts)))
    assert [reason.code for reason in refused.reasons] == [fit.DOES_NOT_FIT_TOGETHER]
    effort = Effort(steps=300)
    tree = [ledger.books.get(Provider, one) for one in ledger.books.search.tree_of(host)]
    demand = Demand.of(Wish(components=tuple(parts)))
    assert place_in_tree(demand, tree, effort=effort) is None
    assert -30 < effort.steps < 0


def test_what_shares_is_told_by_its_own_groups_and_not_by_its_roots(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    other = ledger.host("other")
    pool = ledger.host("pool", parent=other, DISK_GB=100, traits=(SHARES,))
    ledger.run(change_groups, other, frozenset({"rack-2"}))
    for one in (host, pool):
        ledger.run(change_groups, one, frozenset({"row-1"}))
    asked = AmountsComponent(resources={"VCPU": 1, "DISK_GB": 1}, not_member_of=("rack-2",))
    placed = ledger.submit("server", Wish(components=(asked,)))
    assert held(placed.shares) == {host: {"VCPU": 1}, pool: {"DISK_GB": 1}}
