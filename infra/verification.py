"""Proof that the log tells one story: `tally verify`.

The log is folded once more, by code of its own that shares nothing with the aggregates, and held
to the promises: positions without gaps, streams without gaps, times that never run backwards, no
provider over its capacity through a claim at any version, and both halves of every claim equal.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from domain.allocation import Share, Shares
from domain.claim import ClaimChanged, ClaimGranted, ClaimHeld, ClaimLapsed, ClaimReleased
from domain.events import Event
from domain.inventory import DiscreteInventory, Inventories
from domain.provider_events import (
    GroupsChanged,
    InventoryChanged,
    Lapsed,
    ProviderDeleted,
    ProviderMoved,
    ProviderRegistered,
    ProviderRenamed,
    Released,
    Requested,
    TraitsChanged,
)
from domain.streams import id_of
from infra.archived_ranges import ArchiveDamaged
from infra.database import open_database
from infra.event_log import EventLog, LogGap
from infra.settings import Settings
from projections.projection import Recorded

PAGE = 5_000

Key = tuple[str, str]
"""A resource class and a unit of it; "" for the class as a whole."""


class Problem(BaseModel):
    code: str
    position: int
    stream: str
    detail: str


class VerificationReport(BaseModel):
    """`digest` is over the final state (providers, inventories, claims), without ids of requests
    and without times, so that two runs of the same work can be compared."""

    ok: bool
    events: int
    providers: int
    claims: int
    requests: int
    position: int
    digest: str
    problems: list[Problem]


def verify_log(settings: Settings, progress: Callable[[int, int], None]) -> VerificationReport:
    """Read the whole log of a database and check it. `progress` gets (done, of) positions."""
    database = open_database(settings)
    try:
        database.create_tables()
        log = EventLog(database)
        head = log.head()
        audit = Audit()
        try:
            while audit.position < head and (page := log.read(audit.position, PAGE, head)):
                for recorded in page:
                    audit.check(recorded)
                progress(audit.position, head)
        except (LogGap, ArchiveDamaged) as unreadable:
            audit.ends_early(str(unreadable))
        return audit.report()
    finally:
        database.close()


@dataclass(slots=True)
class _Provider:
    name: str
    parent_id: str | None
    traits: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    inventories: Inventories = field(default_factory=dict)
    held: dict[str, Counter[Key]] = field(default_factory=dict)
    usage: Counter[Key] = field(default_factory=Counter)
    before_release: Counter[Key] = field(default_factory=Counter)
    """What was in use before the newest release, or before all those of its moment: changed claims
    may keep together what they had."""
    released_at: datetime | None = None


class Audit:
    """The fold. Feed it the whole log in order, then ask for the report."""

    def __init__(self) -> None:
        self.position = 0
        self.problems: list[Problem] = []
        self._events = 0
        self._requests = 0
        self._versions: dict[str, int] = {}
        self._times: dict[str, datetime] = {}
        self._providers: dict[str, _Provider] = {}
        self._claims: dict[str, dict[str, Counter[Key]]] = {}
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            ProviderRegistered: self._registered,
            ProviderRenamed: self._renamed,
            ProviderMoved: self._moved,
            ProviderDeleted: self._deleted,
            InventoryChanged: self._inventory_changed,
            TraitsChanged: self._traits_changed,
            GroupsChanged: self._groups_changed,
            Requested: self._requested,
            Released: self._given_back,
            Lapsed: self._given_back,
            ClaimHeld: self._claim_is,
            ClaimGranted: self._claim_is,
            ClaimChanged: self._claim_is,
            ClaimReleased: self._claim_released,
            ClaimLapsed: self._claim_lapsed,
        }

    def check(self, recorded: Recorded) -> None:
        event, stream = recorded.event, recorded.event.originator_id
        if recorded.position != self.position + 1:
            self._wrong("position_gap", event, f"follows position {self.position}")
        self.position = recorded.position
        self._events += 1
        version = self._versions.get(stream, 0)
        if event.originator_version != version + 1:
            self._wrong("version_gap", event, f"{event.originator_version} follows {version}")
        if stream in self._times and event.at < self._times[stream]:
            self._wrong("time_runs_backwards", event, f"{event.at} follows {self._times[stream]}")
        self._versions[stream] = event.originator_version
        self._times[stream] = event.at
        if version == 0 and stream.startswith("request:"):
            self._requests += 1
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def ends_early(self, detail: str) -> None:
        self.problems.append(
            Problem(code="unreadable", position=self.position + 1, stream="", detail=detail)
        )

    def report(self) -> VerificationReport:
        self._compare_halves()
        return VerificationReport(
            ok=not self.problems,
            events=self._events,
            providers=len(self._providers),
            claims=sum(1 for held in self._claims.values() if held),
            requests=self._requests,
            position=self.position,
            digest=self._digest(),
            problems=self.problems,
        )

    # --- What providers are -----------------------------------------------------------------------

    def _registered(self, event: ProviderRegistered) -> None:
        self._providers[id_of(event.originator_id)] = _Provider(event.name, event.parent_id)

    def _renamed(self, event: ProviderRenamed) -> None:
        self._provider(event).name = event.name

    def _moved(self, event: ProviderMoved) -> None:
        self._provider(event).parent_id = event.parent_id

    def _deleted(self, event: ProviderDeleted) -> None:
        if self._provider(event).held:
            self._wrong("deleted_in_use", event, "somebody held resources of it")
        del self._providers[id_of(event.originator_id)]

    def _inventory_changed(self, event: InventoryChanged) -> None:
        provider = self._provider(event)
        if event.inventory is not None:
            provider.inventories[event.resource_class] = event.inventory
            return
        del provider.inventories[event.resource_class]
        if provider.usage[event.resource_class, ""]:
            self._wrong("removed_in_use", event, f"{event.resource_class} was in use")

    def _traits_changed(self, event: TraitsChanged) -> None:
        self._provider(event).traits = event.traits

    def _groups_changed(self, event: GroupsChanged) -> None:
        self._provider(event).groups = event.groups

    # --- The provider's half ----------------------------------------------------------------------

    def _requested(self, event: Requested) -> None:
        provider = self._provider(event)
        if event.consumer_id in provider.held:
            self._wrong("held_twice", event, f"{event.consumer_id} held resources here already")
        amounts = _amounts(event.share)
        provider.held[event.consumer_id] = amounts
        provider.usage.update(amounts)
        for key in amounts:
            capacity = _capacity(provider.inventories, key)
            kept = provider.before_release[key] if event.at == provider.released_at else 0
            allowed = max(capacity, kept)
            if provider.usage[key] > allowed:
                self._wrong(
                    "over_capacity", event, f"{provider.usage[key]} of {capacity} {' '.join(key)}"
                )

    def _given_back(self, event: Released | Lapsed) -> None:
        provider = self._provider(event)
        amounts = _amounts(event.share)
        held = provider.held.get(event.consumer_id, Counter())
        if amounts - held:
            self._wrong("gave_back_more", event, f"{event.consumer_id} did not hold all of it")
        if provider.released_at != event.at:
            provider.released_at = event.at
            provider.before_release = provider.usage.copy()
        provider.usage -= amounts
        rest = held - amounts
        if rest:
            provider.held[event.consumer_id] = rest
        else:
            provider.held.pop(event.consumer_id, None)

    # --- The claim's half, and whether both agree -------------------------------------------------

    def _claim_is(self, event: ClaimHeld | ClaimGranted | ClaimChanged) -> None:
        touched = {*self._claims.get(event.consumer_id, ()), *event.shares}
        self._claims[event.consumer_id] = _by_provider(event.shares)
        self._compare(event, event.consumer_id, touched)

    def _claim_released(self, event: ClaimReleased) -> None:
        claim = self._claims[event.consumer_id]
        for provider_id, share in event.shares.items():
            claim[provider_id] -= _amounts(share)
            if not claim[provider_id]:
                del claim[provider_id]
        self._compare(event, event.consumer_id, set(event.shares))

    def _claim_lapsed(self, event: ClaimLapsed) -> None:
        touched = set(self._claims[event.consumer_id])
        self._claims[event.consumer_id] = {}
        self._compare(event, event.consumer_id, touched)

    def _compare(self, event: Event, consumer_id: str, provider_ids: set[str]) -> None:
        """Each append writes the providers' halves first, so at the claim's event they agree."""
        claim = self._claims[consumer_id]
        for provider_id in provider_ids:
            provider = self._providers.get(provider_id)
            held = provider.held.get(consumer_id, Counter()) if provider else Counter()
            if held != claim.get(provider_id, Counter()):
                self._wrong("halves_differ", event, f"on provider {provider_id}")

    def _compare_halves(self) -> None:
        """At the end, over everything: also what no claim's event mentioned."""
        for provider_id, provider in self._providers.items():
            for consumer_id, held in provider.held.items():
                if self._claims.get(consumer_id, {}).get(provider_id) != held:
                    self._differs(provider_id, consumer_id)
        for consumer_id, claim in self._claims.items():
            for provider_id in claim:
                claimed_on = self._providers.get(provider_id)
                if claimed_on is None or consumer_id not in claimed_on.held:
                    self._differs(provider_id, consumer_id)

    # --- How it is told ---------------------------------------------------------------------------

    def _provider(self, event: Event) -> _Provider:
        return self._providers[id_of(event.originator_id)]

    def _wrong(self, code: str, event: Event, detail: str) -> None:
        self.problems.append(
            Problem(
                code=code,
                position=self.position,
                stream=event.originator_id,
                detail=f"{event.TOPIC}: {detail}",
            )
        )

    def _differs(self, provider_id: str, consumer_id: str) -> None:
        detail = f"the halves of the claim of {consumer_id} differ on provider {provider_id}"
        stream = f"claim:{consumer_id}"
        self.problems.append(
            Problem(code="halves_differ", position=self.position, stream=stream, detail=detail)
        )

    def _digest(self) -> str:
        providers = {
            provider_id: {
                "name": provider.name,
                "parent_id": provider.parent_id,
                "traits": provider.traits,
                **({"groups": provider.groups} if provider.groups else {}),
                "inventories": dict(sorted(provider.inventories.items())),
                "usage": _told(provider.usage),
            }
            for provider_id, provider in sorted(self._providers.items())
        }
        claims = {
            consumer_id: {one: _told(amounts) for one, amounts in sorted(held.items())}
            for consumer_id, held in sorted(self._claims.items())
            if held
        }
        return hashlib.sha256(to_json({"providers": providers, "claims": claims})).hexdigest()


def _amounts(share: Share) -> Counter[Key]:
    amounts: Counter[Key] = Counter()
    for name, amount in share.resources.items():
        amounts[name, ""] = amount
    for name, parts in share.units.items():
        for unit, amount in parts.items():
            amounts[name, unit] = amount
    return amounts


def _by_provider(shares: Shares) -> dict[str, Counter[Key]]:
    return {provider_id: _amounts(share) for provider_id, share in shares.items()}


def _capacity(inventories: Inventories, key: Key) -> int:
    name, unit = key
    inventory = inventories.get(name)
    if inventory is None:
        return 0
    if unit and isinstance(inventory, DiscreteInventory):
        return next((one.capacity for one in inventory.units if one.name == unit), 0)
    return inventory.capacity


def _told(amounts: Counter[Key]) -> dict[str, int]:
    return {f"{name}/{unit}": n for (name, unit), n in sorted(amounts.items()) if n}
