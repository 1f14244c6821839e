"""What the history says of each event, as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import catalog, claim, flavor, idempotency, provider_events, request
from domain.allocation import Share
from domain.charge import Charge
from domain.closed_statements import StatementClosed, StatementCorrected
from domain.component import (
    AmountsComponent,
    AttributeCondition,
    Consumer,
    ExpandedFlavor,
    Expansion,
    Units,
    UnitsComponent,
    Wish,
)
from domain.events import Event
from domain.inventory import DivisibleInventory
from domain.price import ClassTarget, Price, Tier
from domain.price_book import PriceBookPublished, Prices
from domain.streams import event_types
from domain.times import EPOCH, from_micros, to_micros
from projections.sentences import providers_of, summary
from tests.open_ledger import NOON, gpus
from tests.projected_log import random_log

PRICES = Prices(
    currency="EUR",
    prices=(
        Price(
            name="CPU",
            target=ClassTarget(resource_class="VCPU"),
            per="hour",
            tiers=(Tier(price=Decimal(1)),),
        ),
    ),
)
NAMES = {"p1": "host-1", "p2": "host-2"}
SHARE = Share(resources={"VCPU": 4, "MEMORY_MB": 8192})
GPU = Share(resources={"PGPU": 1300}, units={"PGPU": {"gpu0": 1000, "gpu1": 300}})
WHO: dict[str, Any] = {"consumer_id": "server-42", "project_id": "red"}
FROM = {"request_id": "r1", **WHO}
CLAIM: dict[str, Any] = {"user_id": "ada", "consumer_type": "server", **FROM}
REFUSED = (
    request.Reason(code="short", resource_class="VCPU", detail="short of VCPU", count=12),
    request.Reason(code="missing", detail="without CUSTOM_SSD", count=1),
)
WISH = Wish(
    components=(
        AmountsComponent(resources={"VCPU": 2}),
        UnitsComponent(
            resource_class="PGPU",
            count=2,
            amount=500,
            where=(
                AttributeCondition.model_validate({"attribute": "model", "in": ["A100", "H100"]}),
            ),
        ),
        ExpandedFlavor(name="small", number=3, expansion=Expansion(resources={"VCPU": 1})),
    ),
    required_traits=("HW_CPU_X86_AVX2",),
    forbidden_traits=("CUSTOM_OLD",),
    any_of_traits=(("CUSTOM_A", "CUSTOM_B"),),
    within="p2",
)


STATEMENT = {"project_id": "acme", "price_book": "standard", "period": "2026-01"}


def charge(total: str) -> Charge:
    return Charge(
        price_book_number=2,
        position=7,
        rating=1,
        currency="EUR",
        total=Decimal(total),
        lines=3,
        digest="0" * 64,
    )


def happened(kind: type[Event], on: str, **facts: Any) -> Event:
    return kind(originator_id=on, originator_version=1, at=NOON, **facts)


def on_provider(kind: type[Event], **facts: Any) -> Event:
    return happened(kind, "provider:p1", **facts)


def on_claim(kind: type[Event], **facts: Any) -> Event:
    return happened(kind, "claim:server-42", **facts)


def on_request(kind: type[Event], **facts: Any) -> Event:
    return happened(kind, "request:r1", **facts)


ENDED = {"reason": "expired", "lapsed_at": NOON}
SAID = [
    (
        on_provider(provider_events.ProviderRegistered, name="host-1"),
        "provider host-1 was registered",
    ),
    (
        on_provider(provider_events.ProviderRegistered, name="gpu-1", parent_id="p2"),
        "provider gpu-1 was registered below host-2",
    ),
    (on_provider(provider_events.ProviderRenamed, name="host-9"), "provider p1 was named host-9"),
    (on_provider(provider_events.ProviderMoved, parent_id=None), "provider host-1 became a root"),
    (
        on_provider(provider_events.ProviderMoved, parent_id="p3"),
        "provider host-1 was moved below p3",
    ),
    (
        on_provider(
            provider_events.InventoryChanged,
            resource_class="VCPU",
            inventory=DivisibleInventory(total=64, reserved=4, allocation_ratio=Decimal("1.5")),
        ),
        "the inventory of VCPU on host-1 is now 64, 4 reserved, × 1.5",
    ),
    (
        on_provider(
            provider_events.InventoryChanged, resource_class="PGPU", inventory=gpus("g0", "g1")
        ),
        "the inventory of PGPU on host-1 is now 2 units with a capacity of 2000",
    ),
    (
        on_provider(provider_events.InventoryChanged, resource_class="VCPU", inventory=None),
        "the inventory of VCPU on host-1 was removed",
    ),
    (
        on_provider(provider_events.TraitsChanged, traits=("CUSTOM_A", "CUSTOM_B", "CUSTOM_C")),
        "provider host-1 now has the traits CUSTOM_A, CUSTOM_B and CUSTOM_C",
    ),
    (
        on_provider(provider_events.TraitsChanged, traits=()),
        "provider host-1 now has the traits none",
    ),
    (
        on_provider(provider_events.Requested, share=SHARE, **FROM),
        "server-42 requested 4 VCPU and 8192 MEMORY_MB on host-1",
    ),
    (
        on_provider(provider_events.Requested, share=GPU, hold_until=NOON, **FROM),
        (
            "server-42 requested 1300 PGPU (1000 of gpu0, 300 of gpu1) on host-1, "
            "held until 2026-01-01T12:00:00Z"
        ),
    ),
    (
        on_provider(provider_events.Claimed, **FROM),
        "server-42 claimed on host-1 what it requested",
    ),
    (
        on_provider(provider_events.Released, share=SHARE, **WHO),
        "server-42 gave back 4 VCPU and 8192 MEMORY_MB on host-1",
    ),
    (
        on_provider(provider_events.Lapsed, share=SHARE, **ENDED, **FROM),
        (
            "the hold of server-42 on 4 VCPU and 8192 MEMORY_MB on host-1 "
            "lapsed at 2026-01-01T12:00:00Z"
        ),
    ),
    (on_provider(provider_events.ProviderDeleted), "provider host-1 was deleted"),
    (
        on_provider(
            provider_events.ProviderSnapshot,
            name="host-1",
            parent_id=None,
            deleted=False,
            registered_at=NOON,
            inventories={},
            traits=(),
            holdings={},
        ),
        "the state of provider host-1 was kept, with 0 holders",
    ),
    (
        on_claim(claim.ClaimHeld, shares={"p1": SHARE}, hold_until=NOON, **CLAIM),
        "server-42 holds 4 VCPU and 8192 MEMORY_MB on host-1 until 2026-01-01T12:00:00Z",
    ),
    (
        on_claim(claim.ClaimGranted, shares={"p1": SHARE, "p3": GPU}, **CLAIM),
        (
            "server-42 claimed 4 VCPU and 8192 MEMORY_MB on host-1 "
            "and 1300 PGPU (1000 of gpu0, 300 of gpu1) on p3"
        ),
    ),
    (
        on_claim(claim.ClaimChanged, shares={"p1": SHARE}, **FROM),
        "server-42 changed its claim to 4 VCPU and 8192 MEMORY_MB on host-1",
    ),
    (
        on_claim(claim.ClaimReleased, shares={"p1": SHARE}, **WHO),
        "server-42 gave back 4 VCPU and 8192 MEMORY_MB on host-1",
    ),
    (
        on_claim(claim.ClaimLapsed, reason="withdrawn", lapsed_at=NOON, **FROM),
        "the hold of server-42 was withdrawn at 2026-01-01T12:00:00Z",
    ),
    (
        on_request(
            request.RequestSubmitted,
            consumer=Consumer(id="server-42"),
            project_id="red",
            user_id="ada",
            wish=WISH,
            hold_until=NOON,
        ),
        (
            "server-42 asked for 2 VCPU, 2 × PGPU of 500 each with model A100 or H100 "
            "and flavor small number 3 with HW_CPU_X86_AVX2 and CUSTOM_A or CUSTOM_B "
            "without CUSTOM_OLD within host-2, to hold until 2026-01-01T12:00:00Z"
        ),
    ),
    (
        on_request(request.RequestHeld, shares={"p1": SHARE}, mappings=(), hold_until=NOON),
        "held: 4 VCPU and 8192 MEMORY_MB on host-1 until 2026-01-01T12:00:00Z",
    ),
    (
        on_request(request.RequestPlaced, shares={"p1": SHARE}, mappings=()),
        "placed: 4 VCPU and 8192 MEMORY_MB on host-1",
    ),
    (
        on_request(request.RequestRefused, reasons=REFUSED, considered=13),
        "refused: 12 providers short of VCPU; 1 provider without CUSTOM_SSD",
    ),
    (
        on_request(request.RequestRefused, reasons=(), considered=0),
        "refused: there is no provider to consider",
    ),
    (on_request(request.RequestWithdrawn), "withdrawn: the hold was given back"),
    (
        on_request(request.RequestExpired, expired_at=NOON),
        "expired: nobody confirmed the hold by 2026-01-01T12:00:00Z",
    ),
    (
        happened(catalog.ResourceClassDefined, "resource_class:CUSTOM_X"),
        "resource class CUSTOM_X was defined",
    ),
    (
        happened(catalog.ResourceClassRemoved, "resource_class:CUSTOM_X"),
        "resource class CUSTOM_X was removed",
    ),
    (happened(catalog.TraitDefined, "trait:CUSTOM_X"), "trait CUSTOM_X was defined"),
    (happened(catalog.TraitRemoved, "trait:CUSTOM_X"), "trait CUSTOM_X was removed"),
    (
        happened(
            flavor.FlavorDefined,
            "flavor:small",
            number=2,
            expansion=Expansion(resources={"VCPU": 1}, units=(Units(resource_class="PGPU"),)),
        ),
        "flavor small number 2 is 1 VCPU and 1 × PGPU",
    ),
    (happened(flavor.FlavorRemoved, "flavor:small"), "flavor small is no longer offered"),
    (
        happened(PriceBookPublished, "price_book:standard", number=2, prices=PRICES),
        "price book standard number 2 says 1 price in EUR",
    ),
    (
        happened(StatementClosed, "statement:standard/acme", **STATEMENT, charge=charge("7.50")),
        "the statement of acme for 2026-01 by standard number 2 was closed with 7.50 EUR",
    ),
    (
        happened(
            StatementCorrected,
            "statement:standard/acme",
            **STATEMENT,
            number=2,
            credit=Decimal("-7.50"),
            charge=charge("5.00"),
            reason="a late release",
        ),
        (
            "the statement of acme for 2026-01 by standard number 2 was corrected: "
            "-7.50 credited, 5.00 EUR charged (a late release)"
        ),
    ),
    (
        happened(catalog.ProviderNameTaken, "provider_name:host-1", provider_id="p1"),
        "the name host-1 was taken by provider p1",
    ),
    (happened(catalog.ProviderNameFreed, "provider_name:host-1"), "the name host-1 was given up"),
    (
        happened(
            idempotency.CommandAnswered,
            "idempotency_key:k1",
            fingerprint="f",
            stream="request:r1",
            version=2,
        ),
        "the call with key k1 was answered with request:r1 at version 2",
    ),
    (
        happened(
            idempotency.CommandAnswered,
            "idempotency_key:k1",
            fingerprint="f",
            error=idempotency.RecordedError(kind="Conflict", code="too_late", detail=""),
        ),
        "the call with key k1 was answered with the error too_late",
    ),
]


@pytest.mark.parametrize(("event", "sentence"), SAID, ids=lambda one: getattr(one, "TOPIC", ""))
def test_an_event_is_told_in_a_sentence(event: Event, sentence: str) -> None:
    assert summary(event, NAMES) == sentence


def test_every_type_of_event_has_its_sentence() -> None:
    assert {event.TOPIC for event, _ in SAID} == set(event_types())


def test_the_providers_that_a_sentence_names_are_known_before_it_is_told(tmp_path: Path) -> None:
    """With their names given, no id of a provider is left in any sentence but of naming one."""
    log = random_log(tmp_path, seed=3, steps=150)
    ids = {one.event.originator_id[9:] for one in log if one.event.TOPIC == "provider.registered"}
    assert len(ids) > 3
    for recorded in log:
        names = dict.fromkeys(providers_of(recorded.event), "NAME")
        assert set(names) <= ids
        told = summary(recorded.event, names)
        if recorded.event.TOPIC not in ("provider.renamed", "provider_name.taken"):
            assert not [id for id in ids if id in told]


# --- Times ----------------------------------------------------------------------------------------


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))])))
def test_a_time_survives_as_whole_microseconds(moment: datetime) -> None:
    micros = to_micros(moment)
    assert from_micros(micros) == moment
    assert to_micros(from_micros(micros) + timedelta(microseconds=1)) == micros + 1


def test_times_count_from_the_epoch() -> None:
    assert to_micros(EPOCH) == 0
    assert to_micros(datetime(2001, 9, 9, 1, 46, 40, 123456, tzinfo=UTC)) == 1_000_000_000_123_456
