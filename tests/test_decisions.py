"""What a decision keeps, so that it can be told and made again; and what a refusal proposes."""

from __future__ import annotations

import random
from typing import Any

from domain import fit
from domain.choosing import asked, choose
from domain.claim import Claim
from domain.cloud import change_groups
from domain.component import Consumer, Units
from domain.demand import INDIFFERENT
from domain.ledger import try_request
from domain.request import Request, RequestPlaced, RequestSubmitted
from domain.wish import Preference, Wish
from infra.recent_wishes import recent_wishes
from projections.demand_mix import DemandMix
from tests.open_ledger import OpenLedger, gpus, held, wish
from tests.past_books import PastBooks

POLICIES: tuple[dict[str, Any], ...] = (
    {"policy": "first_fit", "among": 3},
    {"policy": "pack"},
    {"policy": "spread", "among": 4},
    {"policy": "least_stranding", "among": 2},
    {"weights": {"pack": 3, "least_stranding": 5}},
)


def cloud_in_use(ledger: OpenLedger, seed: int, requests: int) -> None:
    """A few hosts with GPUs, and random requests by every policy; some are released again."""
    chance = random.Random(seed)
    for number in range(6):
        units = gpus(*(f"g{n}" for n in range(chance.choice((2, 4)))))
        ledger.host(f"host{number}", VCPU=chance.choice((16, 32)), MEMORY_MB=256, PGPU=units)
    for number in range(requests):
        part = chance.choice((250, 500, 700, 1000))
        ledger.submit(
            f"c{number}",
            wish(
                *([Units(resource_class="PGPU", amount=part)] if chance.random() < 0.7 else []),
                VCPU=chance.randint(1, 6),
                MEMORY_MB=chance.choice((8, 16, 32)),
                preference=Preference(**chance.choice(POLICIES)),
            ),
        )
        if chance.random() < 0.2 and ledger.books.get(Claim, f"c{number}").status == "active":
            ledger.release(f"c{number}")


# --- Made again -----------------------------------------------------------------------------------


def test_the_log_and_the_recorded_seed_make_the_same_decision_again(ledger: OpenLedger) -> None:
    cloud_in_use(ledger, seed=5, requests=60)
    log = ledger.log.read(0, 1_000_000)
    placed = {
        one.event.originator_id: one.event for one in log if isinstance(one.event, RequestPlaced)
    }
    policies: set[str | None] = set()
    books = PastBooks()
    for recorded in log:
        event = recorded.event
        if isinstance(event, RequestSubmitted) and event.originator_id in placed:
            was = placed[event.originator_id]
            assert was.decision is not None
            # The seed that was drawn is in the event; all else is the request's own.
            preference = was.decision.preference
            same = event.wish.model_copy(update={"preference": preference})
            again = choose(books, asked(books, same, INDIFFERENT, seed=0))
            assert again is not None
            assert (again.placement.shares, again.decision) == (was.shares, was.decision)
            policies.add(preference.policy)
        books.show(recorded)
    assert policies == {"first_fit", "pack", "spread", "least_stranding", None}


def test_a_view_that_is_loaded_measures_the_same_demand(ledger: OpenLedger) -> None:
    cloud_in_use(ledger, seed=6, requests=40)
    followed = ledger.books.view.mix.now
    assert followed.shapes
    loaded, head = DemandMix(), ledger.log.head()
    loaded.begin(head, recent_wishes(ledger.log, head))
    assert loaded.now == followed


def test_a_dry_run_decides_the_same_and_writes_nothing(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=8)

    def tried(vcpus: int) -> Request:
        return ledger.run(
            try_request,
            request_id="dry",
            consumer=Consumer(id="server"),
            project_id="project",
            user_id="user",
            wish=wish(VCPU=vcpus),
            hold_until=None,
        )

    head = ledger.log.head()
    dry, refused = tried(8), tried(9)
    assert ledger.log.head() == head
    assert (dry.status, refused.status) == ("placed", "refused")
    real = ledger.ask("server", VCPU=8)
    assert (real.shares, real.mappings, real.decision) == (dry.shares, dry.mappings, dry.decision)
    assert refused.reasons
    assert refused.relaxations


# --- What would have fitted -----------------------------------------------------------------------


def relaxed(request: Request) -> list[list[tuple[str, int | None]]]:
    assert request.status == "refused"
    return [[(one.code, one.possible) for one in each.changes] for each in request.relaxations]


def test_a_refusal_tells_the_smallest_change_that_would_have_fitted(ledger: OpenLedger) -> None:
    ledger.host("small", VCPU=4, MEMORY_MB=64)
    large = ledger.host("large", VCPU=12, MEMORY_MB=64)
    refused = ledger.ask("server", VCPU=16, MEMORY_MB=32)
    assert relaxed(refused) == [[(fit.SHORT_OF_CAPACITY, 12)], [(fit.SHORT_OF_CAPACITY, 4)]]
    assert refused.relaxations[0].provider_id == large
    assert refused.relaxations[0].cut == 250
    assert refused.relaxations[0].changes[0].detail == "12 VCPU instead of 16"


def test_a_change_is_told_for_every_kind_of_condition(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8, traits=("CUSTOM_OLD",), PGPU=gpus("g0", "g1"))
    ledger.host("bare", traits=("CUSTOM_FAST",))
    asked_for: list[tuple[Wish, str, int | None]] = [
        (wish(VCPU=1, required_traits=("CUSTOM_FAST",)), fit.MISSING_TRAIT, None),
        (wish(VCPU=1, forbidden_traits=("CUSTOM_OLD",)), fit.FORBIDDEN_TRAIT, None),
        (wish(VCPU=1, any_of_traits=(("CUSTOM_FAST",),)), fit.MISSING_TRAIT, None),
        (wish(VCPU=1, member_of=(("rack-1",),)), fit.NOT_IN_GROUP, None),
        (wish(VCPU=1, not_member_of=("rack-2",)), fit.IN_FORBIDDEN_GROUP, None),
        (wish(Units(resource_class="PGPU", count=5), VCPU=1), fit.TOO_FEW_FREE_UNITS, 2),
    ]
    ledger.run(change_groups, host, frozenset({"rack-2"}))
    for number, (one, code, possible) in enumerate(asked_for):
        assert (code, possible) in [
            change for each in relaxed(ledger.submit(f"c{number}", one)) for change in each
        ], code


def test_several_changes_are_told_together_where_one_is_not_enough(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=8, MEMORY_MB=64)
    refused = ledger.ask("server", VCPU=16, MEMORY_MB=128)
    assert relaxed(refused) == [[(fit.SHORT_OF_CAPACITY, 8), (fit.SHORT_OF_CAPACITY, 64)]]


def test_every_change_that_is_told_would_really_have_fitted(ledger: OpenLedger) -> None:
    cloud_in_use(ledger, seed=9, requests=20)
    refused = ledger.ask("giant", Units(resource_class="PGPU", count=3, amount=800), VCPU=40)
    assert refused.relaxations
    for number, one in enumerate(refused.relaxations):
        asked_for: dict[str, Any] = {"VCPU": 40}
        units = Units(resource_class="PGPU", count=3, amount=800)
        for change in one.changes:
            if change.resource_class == "VCPU":
                asked_for["VCPU"] = change.possible
            else:
                units = units.model_copy(update={"count": change.possible})
        assert ledger.ask(f"less{number}", units, **asked_for).status == "placed"
        ledger.release(f"less{number}")


def test_parts_that_only_compete_are_told_to_go_without_one(ledger: OpenLedger) -> None:
    ledger.host("host", PGPU=gpus("g0", "g1"))
    refused = ledger.ask(
        "server", Units(resource_class="PGPU", count=2), Units(resource_class="PGPU")
    )
    assert [reason.code for reason in refused.reasons] == [fit.DOES_NOT_FIT_TOGETHER]
    assert {change.component for one in refused.relaxations for change in one.changes} == {0, 1}


# --- Stranding ------------------------------------------------------------------------------------


def test_what_the_demand_of_late_needs_is_not_stranded(ledger: OpenLedger) -> None:
    """Two halves of a GPU fit a whole one; a third of it would leave what nobody asks for."""
    for name in ("first", "second"):
        ledger.host(name, VCPU=16, PGPU=gpus("g0", "g1"))
    half = Units(resource_class="PGPU", amount=500)
    for number in range(8):
        ledger.ask(f"h{number}", half, VCPU=1)
        ledger.release(f"h{number}")
    ledger.ask("one", half, VCPU=1)
    request = ledger.submit(
        "third",
        wish(
            Units(resource_class="PGPU", amount=300),
            VCPU=1,
            preference=Preference(policy="least_stranding"),
        ),
    )
    decision = request.decision
    assert decision is not None
    # A half is lost wherever it goes: the other half of the first GPU, or one of two whole ones.
    assert decision.stranding is not None
    assert decision.stranding.resource_class == "PGPU"
    assert (decision.stranding.before, decision.stranding.after) == (0, 200)


def test_cpus_go_where_gpus_have_no_use_for_them(ledger: OpenLedger) -> None:
    """A host's last CPUs are what its free GPUs need; first fit would take them."""
    ledger.host("gpus", VCPU=4, PGPU=gpus("g0", "g1", "g2", "g3"))
    bare = ledger.host("bare", VCPU=4)
    for number in range(4):
        ledger.ask(f"g{number}", Units(resource_class="PGPU"), VCPU=1)
        ledger.release(f"g{number}")
    taken = wish(VCPU=2, preference=Preference(policy="least_stranding"))
    assert held(ledger.submit("cpus", taken).shares) == {bare: {"VCPU": 2}}
