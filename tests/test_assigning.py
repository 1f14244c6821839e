"""Clients that choose themselves, as Placement's do: what is assigned, and how it is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assigning import MOST_PROVIDERS, Assignment, assign
from domain.claim import Claim
from domain.cloud import change_groups, change_inventories, delete_provider, register_provider
from domain.errors import Conflict, Invalid, LedgerError, NotFound, Stale
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventories, Unit
from domain.provider import Provider
from domain.request import Request
from domain.reshaping import NewInventories, reshape
from domain.unit_filling import fill
from infra.verification import Audit
from tests.open_ledger import OpenLedger, after, gpus, held


def assignment(consumer: str, amounts: Mapping[str, Mapping[str, int]], **more: Any) -> Assignment:
    facts = {"project_id": "blue", "user_id": "ada", **more}
    facts.setdefault("request_id", f"request-{consumer}-{len(amounts)}-{id(amounts)}")
    return Assignment(consumer_id=consumer, amounts=amounts, **facts)


def give(
    ledger: OpenLedger, consumer: str, amounts: Mapping[str, Mapping[str, int]], **more: Any
) -> Claim | Request:
    return ledger.run(assign, [assignment(consumer, amounts, **more)])


def provider(ledger: OpenLedger, provider_id: str) -> Provider:
    return ledger.books.get(Provider, provider_id)


def claim(ledger: OpenLedger, consumer: str) -> Claim:
    return ledger.books.get(Claim, consumer)


@pytest.fixture(autouse=True)
def log_is_right(ledger: OpenLedger) -> Iterator[None]:
    """Whatever a test did: both halves agree, and nobody was put over capacity."""
    yield
    audit = Audit()
    for recorded in ledger.log.read(0, 10_000):
        audit.check(recorded)
    assert audit.report().problems == []


# --- Assigning ------------------------------------------------------------------------------------


def test_a_consumer_holds_what_its_client_chose_and_the_request_is_kept(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8, MEMORY_MB=1024)
    disks = ledger.host("disks", DISK_GB=100)
    amounts = {host: {"VCPU": 2, "MEMORY_MB": 512}, disks: {"DISK_GB": 10}}

    outcome = give(ledger, "server", amounts, request_id="first", generation=None)

    assert isinstance(outcome, Claim)
    assert held(outcome.shares) == amounts
    request = ledger.books.get(Request, "first")
    assert (request.status, request.mappings) == ("placed", ((host,), (disks,)))
    assert request.decision is None
    assert (outcome.generation, outcome.consumer_type) == (1, "unknown")


def test_each_write_counts_one_generation_of_the_consumer_until_it_holds_nothing(
    ledger: OpenLedger,
) -> None:
    host = ledger.host("host", VCPU=8)
    generations = [claim(ledger, "server").generation]
    for amounts in ({host: {"VCPU": 2}}, {host: {"VCPU": 2}}, {host: {"VCPU": 3}}, {}):
        give(ledger, "server", amounts)
        generations.append(claim(ledger, "server").generation)
    assert generations == [0, 1, 2, 3, 0]


@pytest.mark.parametrize("generation", [None, 1, 3])
def test_a_client_that_read_an_older_generation_is_refused(
    ledger: OpenLedger, generation: int | None
) -> None:
    host = ledger.host("host", VCPU=8)
    give(ledger, "server", {host: {"VCPU": 1}}, generation=None)
    give(ledger, "server", {host: {"VCPU": 2}}, generation=1)
    with pytest.raises(Stale) as stale:
        give(ledger, "server", {host: {"VCPU": 3}}, generation=generation)
    assert stale.value.extras == {"expected": generation, "generation": 2}
    assert ledger.usage(host, "VCPU") == 2


@pytest.mark.parametrize(
    ("resources", "code"),
    [
        ({"VCPU": 9}, "short_of_capacity"),
        ({"VCPU": 1, "DISK_GB": 1}, "no_inventory"),
        ({"MEMORY_MB": 100}, "amount_not_allowed"),
        ({"MEMORY_MB": 512 * 5}, "amount_not_allowed"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason_and_kept(
    ledger: OpenLedger, resources: dict[str, int], code: str
) -> None:
    memory = DivisibleInventory(total=10_000, min_unit=256, max_unit=2048, step_size=256)
    host = ledger.host("host", VCPU=8, MEMORY_MB=memory)
    outcome = give(ledger, "server", {host: resources})
    assert isinstance(outcome, Request)
    assert [reason.code for reason in outcome.reasons] == [code]
    assert (claim(ledger, "server").version, provider(ledger, host).generation) == (0, 2)


def test_unknown_names_are_told_and_nothing_is_kept(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8)
    with pytest.raises(Invalid, match="no provider"):
        give(ledger, "server", {"00000000-0000-4000-8000-00000000abcd": {"VCPU": 1}})
    with pytest.raises(Invalid, match="no resource class CUSTOM_NOTHING"):
        give(ledger, "server", {host: {"CUSTOM_NOTHING": 1}})
    many = {ledger.host(f"host-{n}", VCPU=1): {"VCPU": 1} for n in range(MOST_PROVIDERS + 1)}
    with pytest.raises(Invalid, match="at most"):
        give(ledger, "server", many)


def test_several_consumers_are_assigned_together_or_not_at_all(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8)
    give(ledger, "old", {host: {"VCPU": 6}})
    before = provider(ledger, host).generation
    moved = [
        assignment("old", {}, request_id="a"),
        assignment("new", {host: {"VCPU": 5}}, request_id="b"),
        assignment("newer", {host: {"VCPU": 3}}, request_id="c"),
    ]
    ledger.run(assign, moved)
    assert provider(ledger, host).generation == before + 1, "once for one call"
    assert {name: claim(ledger, name).generation for name in ("old", "new", "newer")} == {
        "old": 0,
        "new": 1,
        "newer": 1,
    }

    grown = [
        assignment("new", {host: {"VCPU": 4}}, request_id="d"),
        assignment("newer", {host: {"VCPU": 5}}, request_id="e"),
    ]
    outcome = ledger.run(assign, grown)
    assert isinstance(outcome, Request)
    assert outcome.id == "e"
    codes = [ledger.books.get(Request, name).reasons[0].code for name in "de"]
    assert codes == ["gang_refused", "short_of_capacity"]
    assert ledger.usage(host, "VCPU") == 8


def test_a_provider_short_of_what_is_in_use_lets_its_holders_have_no_more_than_before(
    ledger: OpenLedger,
) -> None:
    host = ledger.host("host", VCPU=8)
    give(ledger, "server", {host: {"VCPU": 6}})
    give(ledger, "other", {host: {"VCPU": 2}})
    ledger.run(change_inventories, host, {"VCPU": DivisibleInventory(total=4)})
    assert isinstance(give(ledger, "server", {host: {"VCPU": 7}}), Request)
    assert isinstance(give(ledger, "server", {host: {"VCPU": 6}}), Claim)
    swapped = [
        assignment("server", {host: {"VCPU": 1}}, request_id="x"),
        assignment("other", {host: {"VCPU": 5}}, request_id="y"),
    ]
    assert isinstance(ledger.run(assign, swapped), Claim)


def test_a_claim_goes_to_another_project_user_and_type(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8)
    give(ledger, "server", {host: {"VCPU": 2}}, consumer_type="INSTANCE")
    give(ledger, "server", {host: {"VCPU": 2}}, project_id="red", user_id="ben")
    found = claim(ledger, "server")
    assert (found.project_id, found.user_id) == ("red", "ben")
    assert (found.consumer_type, found.generation) == ("INSTANCE", 2)
    assert provider(ledger, host).holdings["server"].project_id == "red"


def test_a_hold_is_not_assigned_over(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8)
    ledger.ask("server", hold_until=after(60), VCPU=1)
    with pytest.raises(Conflict, match="is held"):
        give(ledger, "server", {host: {"VCPU": 2}})


# --- Discrete classes -----------------------------------------------------------------------------


def test_an_amount_of_a_discrete_class_is_made_of_units(ledger: OpenLedger) -> None:
    host = ledger.host("host", PGPU=gpus("g0", "g1", capacity=1000))
    give(ledger, "first", {host: {"PGPU": 400}})
    give(ledger, "second", {host: {"PGPU": 1600}})
    assert provider(ledger, host).unit_usage["PGPU"] == {"g0": 1000, "g1": 1000}
    assert isinstance(give(ledger, "third", {host: {"PGPU": 1}}), Request)
    before = claim(ledger, "second").shares[host].units
    give(ledger, "second", {host: {"PGPU": 1600}})
    assert claim(ledger, "second").shares[host].units == before, "it keeps what it had"


@given(
    free=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=5),
    rather=st.dictionaries(st.integers(0, 6).map(str), st.integers(1, 4), max_size=3),
    amount=st.integers(1, 20),
)
@settings(max_examples=200, deadline=None)
def test_units_are_filled_whenever_as_much_is_free(
    free: list[tuple[int, int]], rather: dict[str, int], amount: int
) -> None:
    units = [Unit(name=str(n), capacity=capacity) for n, (capacity, _) in enumerate(free)]
    usage = {str(n): min(used, capacity) for n, (capacity, used) in enumerate(free)}
    left = {unit.name: unit.capacity - usage[unit.name] for unit in units}
    taken = fill(DiscreteInventory(units=tuple(units)), usage, amount, rather)
    if amount > sum(left.values()):
        assert taken is None
    else:
        assert taken is not None
        assert sum(taken.values()) == amount
        assert all(0 < part <= left[name] for name, part in taken.items())


# --- Generations of providers ---------------------------------------------------------------------


def test_generations_count_as_placements_do(ledger: OpenLedger) -> None:
    host = ledger.host("host")
    both: Inventories = {
        "VCPU": DivisibleInventory(total=8),
        "DISK_GB": DivisibleInventory(total=9),
    }
    steps: list[tuple[Any, int]] = [
        (lambda: ledger.run(change_inventories, host, both, confirm=True), 1),
        (lambda: ledger.run(change_inventories, host, both, confirm=True), 1),
        (lambda: ledger.run(change_inventories, host, both), 0),
        (lambda: ledger.run(change_groups, host, frozenset({"a"}), raises_generation=False), 0),
        (lambda: ledger.run(change_groups, host, frozenset({"b"})), 1),
        (lambda: ledger.run(change_groups, host, frozenset({"b"}), confirm=True), 1),
        (lambda: give(ledger, "server", {host: {"VCPU": 1}}), 1),
        (lambda: give(ledger, "server", {host: {"VCPU": 2}}), 1),
        (lambda: give(ledger, "server", {}), 1),
        (lambda: give(ledger, "server", {host: {"VCPU": 2}}), 1),
        (lambda: ledger.release("server"), 0),
    ]
    expected = 0
    for step, more in steps:
        step()
        expected += more
        assert provider(ledger, host).generation == expected
    view = ledger.reopened().view
    assert view.generation(view.row_of[host]) == expected


def test_a_stale_generation_changes_nothing(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8)
    with pytest.raises(Stale, match="generation 1, not 0"):
        ledger.run(change_inventories, host, {"VCPU": None}, expected_generation=0)
    assert "VCPU" in provider(ledger, host).inventories


def test_a_deleted_provider_is_registered_anew_under_its_id(ledger: OpenLedger) -> None:
    first = ledger.host("host", VCPU=8)
    other = ledger.host("other", VCPU=8)
    ledger.run(delete_provider, first)
    again: dict[str, Any] = {"parent_id": other, "traits": frozenset[str](), "inventories": {}}
    ledger.run(register_provider, provider_id=first, name="host", **again)

    found = provider(ledger, first)
    assert (found.parent_id, found.inventories, found.generation) == (other, {}, 0)
    for books in (ledger.books, ledger.reopened()):
        view = books.view
        row = view.row_of[first]
        assert (view.inventories[row], view.generation(row)) == ({}, 0)
        position = ledger.log.positions([(found.stream, 1)])[found.stream, 1]
        assert view.columns["position"][row] == position, "its place in order is the first one"
    with pytest.raises(Conflict, match="there is a provider"):
        ledger.run(register_provider, provider_id=first, name="third", **again)


# --- Reshaping ------------------------------------------------------------------------------------


def test_what_consumers_have_moves_with_the_inventory(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8, PGPU=4)
    child = ledger.host("child", parent=host)
    give(ledger, "server", {host: {"VCPU": 2, "PGPU": 4}})
    new = {
        host: NewInventories(
            provider(ledger, host).generation, {"VCPU": DivisibleInventory(total=8)}
        ),
        child: NewInventories(0, {"PGPU": DivisibleInventory(total=4)}),
    }
    moved = assignment("server", {host: {"VCPU": 2}, child: {"PGPU": 4}}, generation=1)
    ledger.run(reshape, new, [moved])
    assert held(claim(ledger, "server").shares) == {host: {"VCPU": 2}, child: {"PGPU": 4}}
    assert set(provider(ledger, host).inventories) == {"VCPU"}
    assert (ledger.usage(host, "PGPU"), ledger.usage(child, "PGPU")) == (0, 4)


@pytest.mark.parametrize(
    ("generation", "amounts", "wrong"),
    [(7, {"VCPU": 2}, Stale), (None, {"PGPU": 1}, Conflict), (None, {"VCPU": 9}, None)],
)
def test_a_reshape_that_cannot_be_changes_nothing(
    ledger: OpenLedger,
    generation: int | None,
    amounts: dict[str, int],
    wrong: type[LedgerError] | None,
) -> None:
    host = ledger.host("host", VCPU=8, PGPU=4)
    give(ledger, "server", {host: {"VCPU": 2, "PGPU": 1}})
    before = provider(ledger, host).generation
    read = before if generation is None else generation
    new = {host: NewInventories(read, {"VCPU": DivisibleInventory(total=8)})}
    moved = [assignment("server", {host: amounts})]
    if wrong is None:
        assert isinstance(ledger.run(reshape, new, moved), Request)
    else:
        with pytest.raises(wrong):
            ledger.run(reshape, new, moved)
    found = provider(ledger, host)
    assert (set(found.inventories), found.generation) == ({"VCPU", "PGPU"}, before)
    with pytest.raises(NotFound):
        ledger.run(reshape, {"none": NewInventories(0, {})}, [])
