"""The search against brute force, on small random clouds with something of everything."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.choosing import asked, choices
from domain.cloud import change_groups, define_trait, describe_provider
from domain.component import (
    AmountsComponent,
    AttributeCondition,
    AttributeRange,
    UnitsComponent,
)
from domain.demand import INDIFFERENT, Affinities, Demand
from domain.errors import Conflict
from domain.inventory import DiscreteInventory, DivisibleInventory, Unit
from domain.provider import Provider
from domain.wish import Preference, Wish
from tests.brute_force import SHARES, Cloud, fits_somewhere
from tests.open_ledger import OpenLedger
from tests.test_promises import scratch

TRAITS = ("CUSTOM_FAST", "CUSTOM_SAFE")
GROUPS = ("rack-1", "rack-2")

traits = st.lists(st.sampled_from(TRAITS), max_size=1, unique=True).map(tuple)
groups = st.lists(st.sampled_from(GROUPS), max_size=1, unique=True).map(tuple)
any_of = st.lists(
    st.lists(st.sampled_from(TRAITS), min_size=1, unique=True).map(tuple), max_size=1
).map(tuple)
member_of = st.lists(
    st.lists(st.sampled_from(GROUPS), min_size=1, unique=True).map(tuple), max_size=1
).map(tuple)
often_nothing = st.one_of(st.just(()), st.just(()), st.just(()))

divisible = st.builds(
    DivisibleInventory,
    total=st.integers(1, 4),
    min_unit=st.just(1),
    step_size=st.sampled_from((1, 1, 2)),
)
unit_attributes = st.fixed_dictionaries(
    {"model": st.sampled_from(("A", "B"))}, optional={"gb": st.sampled_from((16, 40))}
)
discrete = st.lists(unit_attributes, min_size=1, max_size=3).map(
    lambda told: DiscreteInventory(
        units=tuple(
            Unit(name=f"u{index}", capacity=2, attributes=one) for index, one in enumerate(told)
        )
    )
)
providers = st.lists(
    st.fixed_dictionaries(
        {
            "parent": st.one_of(st.none(), st.integers(0, 3)),
            "traits": st.one_of(traits, traits, st.just((SHARES,))),
            "groups": groups,
            "VCPU": st.one_of(st.none(), divisible),
            "PGPU": st.one_of(st.none(), discrete),
            "used": st.integers(0, 2),
        }
    ),
    min_size=1,
    max_size=4,
)
conditions = st.fixed_dictionaries(
    {
        "required_traits": st.one_of(often_nothing, traits),
        "forbidden_traits": st.one_of(often_nothing, traits),
        "any_of_traits": st.one_of(often_nothing, any_of),
        "member_of": st.one_of(often_nothing, member_of),
        "not_member_of": st.one_of(often_nothing, groups),
        "within": st.one_of(st.none(), st.none(), st.none(), st.integers(0, 3)),
    }
)
unit_condition = st.one_of(
    st.builds(AttributeCondition, attribute=st.just("model"), equals=st.sampled_from(("A", "B"))),
    st.builds(AttributeRange, attribute=st.just("gb"), at_least=st.sampled_from((10, 20))),
)
component = st.one_of(
    st.fixed_dictionaries({"VCPU": st.integers(1, 3)}),
    st.fixed_dictionaries(
        {
            "count": st.integers(1, 2),
            "amount": st.sampled_from((None, 1, 2)),
            "where": st.lists(unit_condition, max_size=1).map(tuple),
            "like": st.sampled_from((None, None, "alike", "different")),
            "by": st.sampled_from(("model", "gb")),
        }
    ),
)
wishes = st.fixed_dictionaries(
    {
        "parts": st.lists(st.tuples(component, conditions, st.booleans()), min_size=1, max_size=3),
        "around": conditions,
        "in_tree": st.one_of(st.none(), st.none(), st.integers(0, 3)),
        "same_subtree": st.booleans(),
        "different": st.booleans(),
        "policy": st.sampled_from(("first_fit", "pack", "spread", "least_stranding")),
        "among": st.sampled_from((1, 3)),
        "near": st.one_of(st.none(), st.none(), st.integers(0, 3)),
        "away": st.one_of(st.none(), st.none(), st.integers(0, 3)),
    }
)


def build(ledger: OpenLedger, told: list[dict[str, Any]]) -> list[str]:
    ids: list[str] = []
    for trait in TRAITS:
        ledger.run(define_trait, trait)
    for index, one in enumerate(told):
        inventories = {name: one[name] for name in ("VCPU", "PGPU") if one[name] is not None}
        provider_id = ledger.host(f"p{index}", traits=one["traits"], **inventories)
        ids.append(provider_id)
        ledger.run(change_groups, provider_id, frozenset(one["groups"]))
        if one["VCPU"] is not None and one["used"]:
            ledger.ask(f"used{index}", within=provider_id, VCPU=one["used"])
    for index, one in enumerate(told):
        # A parent may be one that was registered later; what would be a loop stays as it is.
        if one["parent"] is not None:
            parent = ids[one["parent"] % len(ids)]
            with suppress(Conflict):
                ledger.run(describe_provider, ids[index], parent_id=parent, move=True)
    return ids


def made(wanted: dict[str, Any], ids: list[str]) -> Wish:
    def where(facts: dict[str, Any]) -> dict[str, Any]:
        within = facts["within"]
        place = None if within is None else ids[within % len(ids)]
        forbidden = tuple(set(facts["forbidden_traits"]) - set(facts["required_traits"]))
        return {**facts, "within": place, "forbidden_traits": forbidden}

    components: list[Any] = []
    for index, (what, conditions, granular) in enumerate(wanted["parts"]):
        facts = {**where(conditions), "label": f"c{index}", "granular": granular}
        if "VCPU" in what:
            components.append(AmountsComponent(resources=what, **facts))
            continue
        like: dict[str, Any] = {what["like"]: (what["by"],)} if what["like"] else {}
        components.append(
            UnitsComponent(
                resource_class="PGPU",
                count=what["count"],
                amount=what["amount"],
                where=what["where"],
                **like,
                **facts,
            )
        )
    labels = tuple(one.label for one in components)
    rule = (labels,) if len(labels) > 1 else ()
    in_tree = wanted["in_tree"]
    return Wish(
        components=tuple(components),
        **where(wanted["around"]),
        in_tree=None if in_tree is None else ids[in_tree % len(ids)],
        same_subtree=rule if wanted["same_subtree"] else (),
        different_providers=rule if wanted["different"] else (),
        preference=Preference(policy=wanted["policy"], among=wanted["among"]),
    )


@settings(max_examples=300, deadline=None)
@given(providers, wishes)
def test_the_search_finds_a_place_if_and_only_if_brute_force_does(
    told: list[dict[str, Any]], wanted: dict[str, Any]
) -> None:
    with scratch() as ledger:
        ids = build(ledger, told)
        wish = made(wanted, ids)
        near, away = wanted["near"], wanted["away"]
        affinities = Affinities(
            near=None if near is None else frozenset([ids[near % len(ids)]]),
            away=frozenset() if away is None else frozenset([ids[away % len(ids)]]),
        )
        cloud = Cloud([ledger.books.get(Provider, one) for one in ids])
        found = list(choices(ledger.books, asked(ledger.books, wish, affinities, seed=7)))
        assert bool(found) == fits_somewhere(cloud, Demand.of(wish, affinities))
        roots = {one.decision.chosen for one in found}
        assert len(roots) == len(found), "a tree was proposed twice"


@settings(max_examples=100, deadline=None)
@given(providers, wishes)
def test_every_candidate_can_be_claimed(told: list[dict[str, Any]], wanted: dict[str, Any]) -> None:
    with scratch() as ledger:
        ids = build(ledger, told)
        wish = made(wanted, ids)
        for one in list(choices(ledger.books, asked(ledger.books, wish, INDIFFERENT, seed=7))):
            ask = wish.model_copy(update={"in_tree": one.decision.chosen})
            request = ledger.submit(f"of-{one.decision.chosen}", ask)
            assert request.status == "placed"
            assert request.decision is not None
            assert request.decision.chosen == one.decision.chosen
            ledger.release(f"of-{one.decision.chosen}")
