"""Consumers that belong together: near each other or apart, and gangs of them, all or none."""

from __future__ import annotations

from typing import Any

import pytest

from domain import fit
from domain.claim import Claim
from domain.component import Consumer
from domain.consumer_group import ConsumerGroup
from domain.errors import Conflict, Invalid
from domain.gang import Gang
from domain.gangs import MemberRequest, submit_gang
from domain.ledger import change_claim
from domain.request import Request
from infra.verification import Audit
from tests.open_ledger import OpenLedger, after, held, wish


def ask(ledger: OpenLedger, consumer: str, affinity: Any = None, **asked: Any) -> Request:
    facts = {name: asked.pop(name) for name in ("at", "hold_until") if name in asked}
    return ledger.submit(
        consumer, wish(affinity=affinity, **(asked or {"VCPU": 1})), group="web", **facts
    )


def where(request: Request) -> list[str]:
    return sorted(request.shares)


def gang(ledger: OpenLedger, *members: dict[str, Any], **facts: Any) -> Gang:
    """Each member is what it asks for; consumers are called m0, m1 and so on."""
    requests = [
        MemberRequest(
            request_id=f"30000000-0000-4000-8000-{ledger.log.head():06}{number:06}",
            consumer=Consumer(id=f"m{number}", group="web"),
            project_id="project",
            user_id="user",
            wish=wish(**asked),
        )
        for number, asked in enumerate(members)
    ]
    gang_id = f"40000000-0000-4000-8000-{ledger.log.head():012}"
    return ledger.run(
        submit_gang, gang_id=gang_id, members=requests, **{"hold_until": None, **facts}
    )


# --- Affinity -------------------------------------------------------------------------------------


def test_members_of_a_group_stay_apart_until_there_is_no_other_tree(ledger: OpenLedger) -> None:
    first, second = ledger.host("first", VCPU=8), ledger.host("second", VCPU=8)
    assert where(ask(ledger, "a", "anti_affinity")) == [first]
    assert where(ask(ledger, "b", "anti_affinity")) == [second]
    refused = ask(ledger, "c", "anti_affinity")
    assert [(one.code, one.count) for one in refused.reasons] == [(fit.ANTI_AFFINITY, 2)]
    assert [change.code for change in refused.relaxations[0].changes] == [fit.ANTI_AFFINITY]
    assert where(ask(ledger, "c", "soft_anti_affinity")) == [first]
    ledger.release("b")
    assert where(ask(ledger, "d", "anti_affinity")) == [second]


def test_members_of_a_group_go_where_the_others_are(ledger: OpenLedger) -> None:
    ledger.host("first", VCPU=1)
    second = ledger.host("second", VCPU=8)
    assert where(ask(ledger, "a", VCPU=2)) == [second]
    assert where(ask(ledger, "b", "affinity")) == [second]
    assert ask(ledger, "c", "affinity", VCPU=7).status == "refused"
    assert where(ask(ledger, "d", "soft_affinity")) == [second]


def test_a_tree_counts_as_one_place(ledger: OpenLedger) -> None:
    host = ledger.host("host")
    cells = [ledger.host(f"cell{n}", parent=host, VCPU=1) for n in range(2)]
    assert where(ask(ledger, "a", "anti_affinity")) == [cells[0]]
    assert ask(ledger, "b", "anti_affinity").status == "refused"
    assert where(ask(ledger, "c", "affinity")) == [cells[1]]


def test_a_hold_that_lapses_leaves_its_group(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=8)
    ask(ledger, "a", "anti_affinity", hold_until=after(60))
    assert ask(ledger, "b", "anti_affinity", at=after(1)).status == "refused"
    assert ask(ledger, "b", "anti_affinity", at=after(61)).status == "placed"
    group = ledger.books.get(ConsumerGroup, ConsumerGroup.id_of("project", "web"))
    assert set(group.members) == {"b"}


def test_a_changed_claim_keeps_apart_from_the_others_and_not_from_itself(
    ledger: OpenLedger,
) -> None:
    first = ledger.host("first", VCPU=4)
    ledger.host("second", VCPU=8)
    ask(ledger, "a", "anti_affinity")
    ask(ledger, "b", "anti_affinity")
    grown = ledger.run(
        change_claim, request_id="c1", consumer_id="a", wish=wish(VCPU=4, affinity="anti_affinity")
    )
    assert held(grown.shares) == {first: {"VCPU": 4}}
    too_much = ledger.run(
        change_claim, request_id="c2", consumer_id="a", wish=wish(VCPU=6, affinity="anti_affinity")
    )
    assert isinstance(too_much, Request)
    assert {one.code for one in too_much.reasons} == {fit.SHORT_OF_CAPACITY, fit.ANTI_AFFINITY}


def test_a_group_is_its_projects_own_and_affinity_needs_one(ledger: OpenLedger) -> None:
    assert ConsumerGroup.id_of("a/b", "c") != ConsumerGroup.id_of("b", "c")
    ledger.host("host", VCPU=8)
    with pytest.raises(Invalid, match="name one"):
        ledger.submit("alone", wish(VCPU=1, affinity="affinity"))


# --- Gangs ----------------------------------------------------------------------------------------


def test_a_gang_is_placed_in_one_append_or_not_at_all(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    ledger.host("other", VCPU=4)
    head = ledger.log.head()
    refused = gang(ledger, {"VCPU": 3}, {"VCPU": 3}, {"VCPU": 3})
    assert (refused.placed, ledger.usage(host, "VCPU")) == (False, 0)
    requests = [ledger.books.get(Request, one.request_id) for one in refused.askers]
    assert {one.status for one in requests} == {"refused"}
    assert {reason.code for one in requests for reason in one.reasons} == {fit.GANG_REFUSED}
    assert refused.failed == (refused.askers[2].request_id,)
    placed = gang(ledger, {"VCPU": 3}, {"VCPU": 3}, {"VCPU": 1})
    assert placed.placed
    assert [one.shares for one in placed.members] == [
        ledger.books.get(Claim, one.consumer_id).shares for one in placed.members
    ]
    audit = Audit()
    for recorded in ledger.log.read(0, 10_000):
        audit.check(recorded)
    assert audit.report().problems == []
    assert ledger.log.head() > head


def test_a_member_makes_way_for_one_that_has_no_other_place(ledger: OpenLedger) -> None:
    small, large = ledger.host("large", VCPU=8), ledger.host("small", VCPU=2)
    placed = gang(ledger, {"VCPU": 2}, {"VCPU": 8})
    assert [list(one.shares) for one in placed.members] == [[large], [small]]


def test_the_members_of_a_gang_keep_apart_from_each_other(ledger: OpenLedger) -> None:
    hosts = [ledger.host(f"host{n}", VCPU=8) for n in range(3)]
    apart = {"VCPU": 1, "affinity": "anti_affinity"}
    placed = gang(ledger, *[apart] * 3)
    assert [list(one.shares) for one in placed.members] == [[one] for one in hosts]
    for number in range(3):
        ledger.release(f"m{number}")
    assert not gang(ledger, *[apart] * 4).placed


def test_a_member_that_fits_nowhere_is_told_why(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=4)
    refused = gang(ledger, {"VCPU": 1}, {"VCPU": 9})
    giant = ledger.books.get(Request, refused.failed[0])
    assert [one.code for one in giant.reasons] == [fit.SHORT_OF_CAPACITY]
    assert [change.possible for change in giant.relaxations[0].changes] == [4]


def test_a_gang_is_held_and_each_member_lapses(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4)
    gang(ledger, {"VCPU": 2}, {"VCPU": 2}, hold_until=after(60))
    assert ledger.usage(host, "VCPU") == 4
    assert ledger.ask("later", VCPU=4, at=after(60)).status == "placed"


def test_a_gang_in_the_past_of_a_provider_leaves_nothing(ledger: OpenLedger) -> None:
    ledger.host("early", VCPU=1)
    ledger.host("late", VCPU=1, at=after(10))
    head = ledger.log.head()
    with pytest.raises(Conflict, match="earlier"):
        gang(ledger, {"VCPU": 1}, {"VCPU": 1}, at=after(5))
    assert (ledger.books.pending, ledger.log.head()) == ([], head)


def test_a_gang_that_makes_no_sense_leaves_nothing(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=4)
    ledger.ask("m1", VCPU=1)
    head = ledger.log.head()
    with pytest.raises(Conflict, match="already has a claim"):
        gang(ledger, {"VCPU": 1}, {"VCPU": 1})
    twice = MemberRequest("r1", Consumer(id="m0"), "project", "user", wish(VCPU=1))
    with pytest.raises(Invalid, match="the same consumer"):
        ledger.run(submit_gang, gang_id="g", members=[twice, twice], hold_until=None)
    assert ledger.log.head() == head
