"""What the ledger decides: one behaviour a test, on a real event store, on both engines."""

from decimal import Decimal
from typing import Any

import pytest

from domain import fit
from domain.allocation import Share
from domain.claim import Claim
from domain.cloud import (
    define_flavor,
)
from domain.component import AttributeCondition, Consumer, Expansion, FlavorComponent, Units
from domain.errors import Conflict, Invalid, NotFound
from domain.expanding import expand
from domain.inventory import DivisibleInventory
from domain.ledger import (
    change_claim,
    confirm_request,
    release_claim,
    submit_request,
    withdraw_request,
)
from domain.provider import Provider
from domain.request import Request
from domain.wish import Wish
from infra.event_log import Conflicted
from tests.open_ledger import OpenLedger, after, gpus, held, wish


def refusal(request: Request) -> list[tuple[str, str | None, int]]:
    assert request.status == "refused"
    return [(reason.code, reason.resource_class, reason.count) for reason in request.reasons]


# --- Placing --------------------------------------------------------------------------------------


def test_a_request_that_fits_is_placed_and_both_halves_are_written(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4, MEMORY_MB=8192)
    request = ledger.ask("server", VCPU=2, MEMORY_MB=1024)
    assert request.status == "placed"
    assert held(request.shares) == {host: {"VCPU": 2, "MEMORY_MB": 1024}}
    assert held(ledger.books.get(Claim, "server").shares) == held(request.shares)
    assert ledger.usage(host, "VCPU") == 2


def test_a_request_fills_what_is_left_to_the_last_unit_and_no_further(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    assert ledger.ask("first", VCPU=4).status == "placed"
    assert refusal(ledger.ask("second", VCPU=1)) == [(fit.SHORT_OF_CAPACITY, "VCPU", 1)]
    assert ledger.usage(host, "VCPU") == 4


def test_the_allocation_ratio_and_the_reserve_make_the_capacity(ledger: OpenLedger) -> None:
    ledger.host(
        "host", VCPU=DivisibleInventory(total=101, reserved=1, allocation_ratio=Decimal("1.15"))
    )
    assert ledger.ask("all", VCPU=115).status == "placed"
    assert ledger.ask("more", VCPU=1).status == "refused"


@pytest.mark.parametrize(("amount", "status"), [(1, "refused"), (2, "placed"), (3, "refused"),
                                                (8, "placed"), (10, "refused")])  # fmt: skip
def test_min_unit_max_unit_and_step_size_hold(ledger: OpenLedger, amount: int, status: str) -> None:
    ledger.host("host", VCPU=DivisibleInventory(total=64, min_unit=2, max_unit=8, step_size=2))
    assert ledger.ask("server", VCPU=amount).status == status


def test_a_tree_serves_each_line_from_one_of_its_providers(ledger: OpenLedger) -> None:
    host = ledger.host("host", MEMORY_MB=1024)
    left = ledger.host("left", parent=host, VCPU=2)
    right = ledger.host("right", parent=host, VCPU=4)
    request = ledger.ask("server", VCPU=3, MEMORY_MB=512)
    assert held(request.shares) == {host: {"MEMORY_MB": 512}, right: {"VCPU": 3}}
    assert ledger.ask("small", VCPU=2, within=left).status == "placed"
    assert request.mappings == ((right, host),)


def test_two_trees_are_never_mixed(ledger: OpenLedger) -> None:
    ledger.host("cpus", VCPU=8)
    ledger.host("memory", MEMORY_MB=8192)
    assert sorted(refusal(ledger.ask("server", VCPU=1, MEMORY_MB=1)), key=str) == [
        (fit.NO_INVENTORY, "MEMORY_MB", 1),
        (fit.NO_INVENTORY, "VCPU", 1),
    ]


def test_lines_that_compete_for_one_provider_are_counted_together(ledger: OpenLedger) -> None:
    ledger.host("host", PGPU=gpus("gpu0", "gpu1"))
    two = Units(resource_class="PGPU", count=2)
    one = Units(resource_class="PGPU", count=1)
    assert refusal(ledger.ask("greedy", two, one)) == [(fit.DOES_NOT_FIT_TOGETHER, None, 1)]
    assert ledger.ask("modest", one, one).status == "placed"


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"required": ("CUSTOM_SSD",)}, "placed"),
        ({"required": ("CUSTOM_SSD", "CUSTOM_FAST")}, "refused"),
        ({"forbidden": ("CUSTOM_SSD",)}, "refused"),
        ({"forbidden": ("CUSTOM_FAST",)}, "placed"),
        ({"any_of": (("CUSTOM_FAST", "CUSTOM_SSD"),)}, "placed"),
        ({"any_of": (("CUSTOM_SSD",), ("CUSTOM_FAST",))}, "refused"),
    ],
)
def test_traits_are_required_forbidden_or_any_of(
    ledger: OpenLedger, conditions: dict[str, Any], status: str
) -> None:
    ledger.host("host", VCPU=4, traits=("CUSTOM_SSD",))
    tree = ledger.host("tree", traits=("CUSTOM_FAST",))  # Defines the trait; serves nothing.
    assert tree
    assert ledger.ask("server", VCPU=1, **conditions).status == status


# --- Discrete units -------------------------------------------------------------------------------


def test_a_bare_metal_node_is_one_unit_that_is_had_whole_or_not_at_all(ledger: OpenLedger) -> None:
    ledger.host("node", CUSTOM_BAREMETAL=gpus("node", capacity=1))
    whole = Units(resource_class="CUSTOM_BAREMETAL")
    assert ledger.ask("first", whole).status == "placed"
    assert refusal(ledger.ask("second", whole)) == [(fit.TOO_FEW_FREE_UNITS, "CUSTOM_BAREMETAL", 1)]


def test_shares_of_a_unit_go_to_the_fullest_that_fits(ledger: OpenLedger) -> None:
    host = ledger.host("host", PGPU=gpus("gpu0", "gpu1"))
    part = Units(resource_class="PGPU", amount=400)
    first = ledger.ask("first", part).shares[host].units["PGPU"]
    second = ledger.ask("second", part).shares[host].units["PGPU"]
    third = ledger.ask("third", part).shares[host].units["PGPU"]
    assert first == second == {"gpu0": 400}
    assert third == {"gpu1": 400}
    assert refusal(ledger.ask("whole", Units(resource_class="PGPU"))) == [
        (fit.TOO_FEW_FREE_UNITS, "PGPU", 1)
    ]


def test_conditions_on_attributes_choose_the_units(ledger: OpenLedger) -> None:
    ledger.host("old", PGPU=gpus("gpu0", model="V100"))
    new = ledger.host("new", PGPU=gpus("gpu0", model="A100"))

    def of(*models: str) -> Units:
        condition = AttributeCondition.model_validate({"attribute": "model", "in": models})
        return Units(resource_class="PGPU", where=(condition,))

    assert list(ledger.ask("first", of("A100", "H100")).shares) == [new]
    assert refusal(ledger.ask("second", of("H100"))) == [(fit.NO_MATCHING_UNIT, "PGPU", 2)]
    assert refusal(ledger.ask("third", of("A100"))) == [
        (fit.NO_MATCHING_UNIT, "PGPU", 1),
        (fit.TOO_FEW_FREE_UNITS, "PGPU", 1),
    ]


# --- Flavors --------------------------------------------------------------------------------------


def test_a_flavor_is_stored_with_what_it_meant_when_it_was_asked_for(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=16)
    ledger.run(define_flavor, "small", Expansion(resources={"VCPU": 1}))
    ledger.run(define_flavor, "small", Expansion(resources={"VCPU": 2}))
    ledger.run(define_flavor, "small", Expansion(resources={"VCPU": 2}))

    def ask(consumer: str, number: int | None) -> Request:
        components = expand(ledger.books, [FlavorComponent(name="small", number=number)])
        return ledger.run(
            submit_request,
            request_id=f"20000000-0000-4000-8000-00000000000{number or 0}",
            consumer=Consumer(id=consumer),
            project_id="p",
            user_id="u",
            wish=Wish(components=components),
            hold_until=None,
        )

    assert [sum(s.resources["VCPU"] for s in ask("new", None).shares.values())] == [2]
    assert [sum(s.resources["VCPU"] for s in ask("old", 1).shares.values())] == [1]
    with pytest.raises(NotFound):
        ask("unknown", 3)  # Defining what it means already made no third definition.


# --- Holds ----------------------------------------------------------------------------------------


def test_a_hold_counts_until_it_is_confirmed_or_withdrawn(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    first = ledger.ask("first", VCPU=4, hold_until=after(60))
    assert (first.status, ledger.usage(host, "VCPU")) == ("held", 4)
    assert ledger.ask("second", VCPU=1, at=after(1)).status == "refused"
    assert ledger.run(confirm_request, first.id, at=after(2)).status == "placed"
    assert ledger.books.get(Claim, "first").status == "active"
    assert ledger.ask("third", VCPU=1, at=after(90)).status == "refused"
    other = ledger.host("other", VCPU=4, at=after(91))
    held_again = ledger.ask("fourth", VCPU=4, at=after(92), hold_until=after(200))
    assert ledger.run(withdraw_request, held_again.id, at=after(93)).status == "withdrawn"
    assert ledger.usage(other, "VCPU") == 0


def test_a_lapsed_hold_stops_counting_though_nobody_did_anything(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    first = ledger.ask("first", VCPU=4, hold_until=after(60))
    second = ledger.ask("second", VCPU=4, at=after(60))
    assert second.status == "placed"
    assert ledger.books.get(Request, first.id).status == "expired"
    assert ledger.usage(host, "VCPU") == 4
    assert ledger.ask("first", VCPU=1, at=after(61)).status == "refused"  # Free to ask again.


def test_a_lapsed_hold_cannot_be_confirmed(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=4)
    request = ledger.ask("first", VCPU=4, hold_until=after(60))
    with pytest.raises(Conflict, match="lapsed"):
        ledger.run(confirm_request, request.id, at=after(61))


def test_confirming_and_withdrawing_twice_write_nothing(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=4)
    first = ledger.ask("first", VCPU=1, hold_until=after(60))
    second = ledger.ask("second", VCPU=1, hold_until=after(60))
    ledger.run(confirm_request, first.id)
    ledger.run(withdraw_request, second.id)
    head = ledger.log.head()
    ledger.run(confirm_request, first.id)
    ledger.run(withdraw_request, second.id)
    assert ledger.log.head() == head
    with pytest.raises(Conflict, match="withdrawn"):
        ledger.run(confirm_request, second.id)


# --- Changing and releasing -----------------------------------------------------------------------


def test_a_claim_is_released_in_part_and_then_whole(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4, MEMORY_MB=1024)
    ledger.ask("server", VCPU=4, MEMORY_MB=512)
    ledger.run(release_claim, "server", {host: Share(resources={"VCPU": 1, "MEMORY_MB": 512})})
    assert (ledger.usage(host, "VCPU"), ledger.usage(host, "MEMORY_MB")) == (3, 0)
    claim = ledger.run(release_claim, "server")
    assert (claim.status, ledger.usage(host, "VCPU")) == ("released", 0)
    head = ledger.log.head()
    ledger.run(release_claim, "server")
    assert ledger.log.head() == head


def test_more_than_is_held_cannot_be_released(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    ledger.ask("server", VCPU=2)
    with pytest.raises(Invalid, match="more than the 2 held"):
        ledger.run(release_claim, "server", {host: Share(resources={"VCPU": 3})})
    with pytest.raises(NotFound):
        ledger.run(release_claim, "nobody")
    assert ledger.usage(host, "VCPU") == 2


def test_a_change_is_decided_whole_with_its_own_resources_free(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    ledger.ask("server", VCPU=3)
    claim = ledger.run(change_claim, request_id="r-1", consumer_id="server", wish=wish(VCPU=4))
    assert isinstance(claim, Claim)
    assert held(claim.shares) == {host: {"VCPU": 4}}
    refused = ledger.run(change_claim, request_id="r-2", consumer_id="server", wish=wish(VCPU=5))
    assert isinstance(refused, Request)
    assert refusal(refused) == [(fit.SHORT_OF_CAPACITY, "VCPU", 1)]
    assert ledger.usage(host, "VCPU") == 4


def test_a_change_moves_to_another_tree_when_its_own_is_full(ledger: OpenLedger) -> None:
    small = ledger.host("small", VCPU=2)
    large = ledger.host("large", VCPU=8)
    ledger.ask("server", VCPU=2, within=small)
    claim = ledger.run(change_claim, request_id="r-1", consumer_id="server", wish=wish(VCPU=8))
    assert held(claim.shares) == {large: {"VCPU": 8}}
    assert ledger.usage(small, "VCPU") == 0


def test_a_consumer_that_holds_cannot_claim_again(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=4)
    ledger.ask("server", VCPU=1)
    with pytest.raises(Conflict, match="already has a claim"):
        ledger.ask("server", VCPU=1)


def test_the_same_submission_decided_again_writes_nothing(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=4)
    facts: dict[str, Any] = {
        "request_id": "r-1",
        "consumer": Consumer(id="server"),
        "project_id": "p",
        "user_id": "u",
        "wish": wish(VCPU=1),
        "hold_until": None,
    }
    first = ledger.run(submit_request, **facts)
    head = ledger.log.head()
    assert ledger.run(submit_request, **facts) is first
    assert ledger.log.head() == head


# --- Two processes --------------------------------------------------------------------------------


def test_an_append_on_a_stream_that_moved_is_refused_whole(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    other = ledger.reopened()
    other.get(Provider, host)
    ledger.ask("first", VCPU=3)
    mine, ledger.books = ledger.books, other
    request = submit_request(
        other,
        after(0),
        request_id="r-9",
        consumer=Consumer(id="second"),
        project_id="p",
        user_id="u",
        wish=wish(VCPU=3),
        hold_until=None,
    )
    assert request.status == "placed"  # As far as the other process knows.
    with pytest.raises(Conflicted):
        ledger.log.append(other.pending)
    other.roll_back()
    other.catch_up()
    assert ledger.ask("second", VCPU=3).status == "refused"
    assert other.get(Provider, host).usage == {"VCPU": 3}
    mine.catch_up()
    assert mine.view.columns["usage", "VCPU"].tolist() == [3]
