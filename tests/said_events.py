"""An event of every type, and its sentence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from domain import (
    catalog,
    claim,
    consumer_group,
    flavor,
    gang,
    idempotency,
    provider_events,
    request,
)
from domain.allocation import Share
from domain.charge import Charge
from domain.closed_statements import StatementClosed, StatementCorrected
from domain.component import (
    AmountsComponent,
    AttributeCondition,
    AttributeRange,
    Consumer,
    ExpandedFlavor,
    Expansion,
    Units,
    UnitsComponent,
)
from domain.events import Event
from domain.inventory import DivisibleInventory
from domain.price import ClassTarget, Price, Tier
from domain.price_book import PriceBookPublished, Prices
from domain.wish import Option, Wish
from tests.open_ledger import NOON, gpus

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
CELL = "00000000-0000-4000-8000-0000000000b2"
NAMES = {"p1": "host-1", "p2": "host-2", CELL: "cell-0"}
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
    within=CELL,
)


RULED = Wish(
    components=(
        AmountsComponent(
            resources={"VCPU": 2}, label="cpu", granular=True, member_of=(("rack-1", "rack-2"),)
        ),
        UnitsComponent(
            resource_class="PGPU",
            count=2,
            where=(
                AttributeRange(attribute="memory_gb", at_least=40, at_most=80),
                AttributeRange(attribute="slot", at_most=7),
            ),
            alike=("model",),
            different=("numa_node",),
            label="gpu",
        ),
    ),
    not_member_of=("old",),
    in_tree=CELL,
    same_subtree=(("cpu", "gpu"),),
    different_providers=(("cpu", "gpu"),),
    alternatives=(Option(components=(UnitsComponent(resource_class="PGPU", count=4),)),),
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
        on_provider(provider_events.GroupsChanged, groups=("rack-1", "zone-a")),
        "provider host-1 is now in the groups rack-1 and zone-a",
    ),
    (
        on_provider(provider_events.GenerationRaised),
        "provider host-1 was described again as it was",
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
            "without CUSTOM_OLD within cell-0, to hold until 2026-01-01T12:00:00Z"
        ),
    ),
    (
        on_request(
            request.RequestSubmitted,
            consumer=Consumer(id="server-42", group="web"),
            project_id="red",
            user_id="ada",
            wish=RULED,
        ),
        (
            "server-42 asked for 2 VCPU in rack-1 or rack-2 (cpu) and 2 × PGPU with memory_gb from "
            "40 to 80, slot to 7, the same model and different numa_node (gpu) not in old in the "
            "tree of cell-0, cpu and gpu in one subtree, cpu and gpu on different providers, "
            "or else 4 × PGPU"
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
        happened(
            gang.GangPlaced,
            "gang:g1",
            members=[{"request_id": "r1", "consumer_id": "a", "shares": {"p1": SHARE}}],
        ),
        "a gang was placed: a",
    ),
    (
        happened(
            gang.GangRefused,
            "gang:g1",
            members=[{"request_id": "r1", "consumer_id": one} for one in "ab"],
            failed=["r1"],
        ),
        "a gang was refused: a and b",
    ),
    (
        happened(
            consumer_group.MemberPlaced,
            "consumer_group:web/red",
            provider_ids=("p1", "p2"),
            **WHO,
        ),
        "server-42 of the group web is on host-1 and host-2",
    ),
    (
        happened(consumer_group.MemberLeft, "consumer_group:web/red", **WHO),
        "server-42 of the group web holds nothing any more",
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
