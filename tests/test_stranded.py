"""What is free but cannot be sold: in a tree's own proportions, and for a flavor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.component import AttributeCondition, Expansion, Units
from domain.inventory import DivisibleInventory, Inventory
from domain.stranded import Stock, count_units, in_proportion, room_for
from tests.open_ledger import gpus

GB = 1024


def stock(*traits: str, used: Mapping[str, int] | None = None, **inventories: Any) -> Stock:
    """A plain number is a divisible inventory of that total."""
    made: dict[str, Inventory] = {
        name: DivisibleInventory(total=one) if isinstance(one, int) else one
        for name, one in inventories.items()
    }
    return Stock(frozenset(traits), made, used or {})


def gpu_host(used: Mapping[str, int], vcpu: int = 8) -> Stock:
    """Two A100s and a T4, each in thousandths."""
    a100, t4 = gpus("a", "b", model="A100"), gpus("t", model="T4")
    both = a100.model_copy(update={"units": (*a100.units, *t4.units)})
    made = stock(VCPU=vcpu, PGPU=both, used={"PGPU": sum(used.values())})
    made.unit_usage = {"PGPU": dict(used)}
    return made


def units(count: int = 1, amount: int | None = None, model: str | None = None) -> Units:
    where = () if model is None else (AttributeCondition(attribute="model", equals=model),)
    return Units(resource_class="PGPU", count=count, amount=amount, where=where)


def stranded(*tree: Stock) -> dict[str, int]:
    return {name: free.stranded for name, free in in_proportion(tree).items()}


def test_one_cpu_that_takes_all_the_memory_strands_the_other_three() -> None:
    used = {"VCPU": 1, "MEMORY_MB": 32 * GB}
    assert stranded(stock(VCPU=4, MEMORY_MB=32 * GB, used=used)) == {"VCPU": 3, "MEMORY_MB": 0}


def test_a_host_used_in_its_own_proportions_strands_nothing() -> None:
    half = {"VCPU": 2, "MEMORY_MB": 16 * GB}
    assert stranded(stock(VCPU=4, MEMORY_MB=32 * GB)) == {"VCPU": 0, "MEMORY_MB": 0}
    assert stranded(stock(VCPU=4, MEMORY_MB=32 * GB, used=half)) == {"VCPU": 0, "MEMORY_MB": 0}
    assert stranded(stock(DISK_GB=100, used={"DISK_GB": 99})) == {"DISK_GB": 0}


def test_a_class_shrunk_below_its_use_has_nothing_free_and_strands_the_others() -> None:
    assert stranded(stock(VCPU=4, MEMORY_MB=8, used={"VCPU": 6})) == {"VCPU": 0, "MEMORY_MB": 8}


def test_a_tree_is_one_the_memory_of_one_cell_goes_with_the_cpus_of_another() -> None:
    cells = [stock(VCPU=4, MEMORY_MB=8, used={"VCPU": 4}), stock(VCPU=4, MEMORY_MB=8)]
    assert stranded(stock(DISK_GB=100), *cells) == {"DISK_GB": 50, "VCPU": 0, "MEMORY_MB": 8}


@given(
    st.dictionaries(
        st.sampled_from(["VCPU", "MEMORY_MB", "DISK_GB"]),
        st.tuples(st.integers(1, 100), st.integers(0, 120)),
    )
)
def test_stranded_is_what_the_most_used_class_is_ahead(levels: dict[str, tuple[int, int]]) -> None:
    """In parts of the capacity: utilization of the fullest class, less that of the class itself."""
    host = stock(
        used={name: used for name, (_, used) in levels.items()},
        **{name: total for name, (total, _) in levels.items()},
    )
    full = max((min(1.0, used / total) for total, used in levels.values()), default=0.0)
    found = in_proportion([host])
    assert not found or min(free.stranded for free in found.values()) == 0
    for name, free in found.items():
        total, used = levels[name]
        assert 0 <= free.stranded <= free.amount == max(0, total - used)
        assert abs(free.stranded - total * (full - min(1.0, used / total))) < 1 + 1e-9


# --- For a flavor ---------------------------------------------------------------------------------


def test_a_flavor_strands_what_is_left_when_no_more_of_it_fit() -> None:
    flavor = Expansion(resources={"VCPU": 4, "MEMORY_MB": 8})
    room = room_for(flavor, [stock(VCPU=10, MEMORY_MB=100, DISK_GB=50, used={"MEMORY_MB": 80})])
    assert room is not None
    assert room.flavors == 2
    assert {name: free.stranded for name, free in room.free.items()} == {"VCPU": 2, "MEMORY_MB": 4}


def test_amounts_do_not_reach_over_providers_and_keep_to_what_each_gives() -> None:
    flavor = Expansion(resources={"VCPU": 4})
    small = stock(VCPU=DivisibleInventory(total=100, max_unit=2))
    room = room_for(flavor, [stock(VCPU=7), stock(VCPU=7), small])
    assert room is not None
    assert (room.flavors, room.free["VCPU"]) == (2, (14, 8))


def test_a_tree_that_could_never_serve_the_flavor_strands_nothing_for_it() -> None:
    flavor = Expansion(resources={"VCPU": 4}, required_traits=("SSD",), forbidden_traits=("OLD",))
    assert room_for(flavor, [stock(VCPU=8)]) is None
    assert room_for(flavor, [stock("SSD", "OLD", VCPU=8)]) is None
    assert room_for(flavor, [stock("SSD", VCPU=3)]) is None
    assert room_for(flavor, [stock("SSD", VCPU=8)]) is not None
    full = room_for(flavor, [stock("SSD", VCPU=8, used={"VCPU": 6})])
    assert full is not None
    assert (full.flavors, full.free["VCPU"].stranded) == (0, 2)


def test_units_count_by_their_attributes_and_partly_used_ones_strand_their_rest() -> None:
    host = gpu_host({"a": 300})
    whole = room_for(Expansion(units=(units(model="A100"),)), [host])
    assert whole is not None
    assert (whole.flavors, whole.free["PGPU"], whole.free["PGPU"].stranded) == (
        1,
        (1700, 1000),
        700,
    )
    assert count_units([host], "PGPU") == (2, 1, 0)
    assert count_units([host, gpu_host({"a": 1000, "t": 1})], "PGPU") == (3, 2, 1)
    assert count_units([host], "VCPU") is None


def test_cpus_that_ran_out_strand_the_gpus_and_the_other_way_round() -> None:
    flavor = Expansion(resources={"VCPU": 4}, units=(units(amount=500),))
    room = room_for(flavor, [gpu_host({}, vcpu=9)])
    assert room is not None
    assert room.flavors == 2
    assert {name: free.stranded for name, free in room.free.items()} == {"VCPU": 1, "PGPU": 2000}


@given(
    st.lists(st.integers(0, 1000), min_size=3, max_size=3),
    st.integers(1, 3),
    st.sampled_from([None, 1, 300, 500, 1000]),
)
def test_as_many_selections_fit_as_can_be_taken_one_by_one(
    used: list[int], count: int, amount: int | None
) -> None:
    host = gpu_host(dict(zip("abt", used, strict=True)))
    room = room_for(Expansion(units=(units(count, amount),)), [host])
    assert room is not None
    assert room.flavors == taken_one_by_one([1000 - one for one in used], count, amount)


def taken_one_by_one(free: list[int], count: int, amount: int | None) -> int:
    """Always from the units with most left, as many different ones as a selection needs."""
    taken = 0
    while True:
        free.sort(reverse=True)
        if free[count - 1] < (amount or 1000):
            return taken
        free = [left - (amount or 1000) * (n < count) for n, left in enumerate(free)]
        taken += 1
