"""What the live view costs: to follow the log, to keep in memory, and to load at the start."""

from __future__ import annotations

import gc
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, create_engine

from domain.allocation import Share
from domain.events import Event
from domain.inventory import DivisibleInventory
from domain.provider import Provider
from domain.provider_events import Released, Requested
from projections.capacity_tables import (
    ALLOCATIONS,
    INVENTORIES,
    PROVIDERS,
    STREAMS,
    AllocationInterval,
    InventoryInterval,
    ProviderInterval,
    ProviderStream,
    metadata,
)
from projections.json_text import to_text
from projections.live_loading import load_live_capacity
from projections.projection import put_all
from scripts.benchmarks.memory_ledger import AT
from scripts.benchmarks.resident import resident_mebibytes

MARK_MICROSECONDS = 20.0
EVENTS = 200_000
CLASSES = {"VCPU": 256, "MEMORY_MB": 262_144, "DISK_GB": 2_000}
A_PAGE = 10_000


@dataclass(frozen=True)
class ViewCosts:
    providers: int
    claims: int
    load_seconds: float
    tail_events: int
    tail_seconds: float
    bytes_per_provider: float
    bytes_per_claim: float
    """The view keeps sums, so a claim by itself takes nothing."""
    microseconds_per_event: float


def measure(
    folder: Path, providers: int, claims: int, seed: int, events: int = EVENTS
) -> ViewCosts:
    """From a stored projection of that size, made row by row, and a tail of the log after it."""
    engine = create_engine(f"sqlite:///{folder / 'capacity.sqlite'}")
    ids = [str(UUID(int=number + 1)) for number in range(providers)]
    with engine.begin() as connection:
        metadata.create_all(connection)
        _store_providers(connection, ids)
        without = _loaded_bytes(connection)
        _store_claims(connection, ids, claims, seed)
    with engine.connect() as connection:
        gc.collect()
        before = _resident()
        began = time.perf_counter()
        view = load_live_capacity(connection)
        loaded = time.perf_counter() - began
        taken = _resident() - before
    tail = _tail(ids, events, random.Random(seed))
    began = time.perf_counter()
    for event in tail:
        view.apply(event)
    applied = time.perf_counter() - began
    return ViewCosts(
        providers=providers,
        claims=claims,
        load_seconds=loaded,
        tail_events=len(tail),
        tail_seconds=applied,
        bytes_per_provider=without / providers,
        bytes_per_claim=max(0.0, taken - without) / claims,
        microseconds_per_event=applied / len(tail) * 1e6,
    )


def _loaded_bytes(connection: Connection) -> float:
    gc.collect()
    before = _resident()
    view = load_live_capacity(connection)
    taken = _resident() - before
    assert view.ids
    return taken


def _resident() -> float:
    return resident_mebibytes([os.getpid()]) * 1024 * 1024


def _store_providers(connection: Connection, ids: list[str]) -> None:
    for first in range(0, len(ids), A_PAGE):
        some = list(enumerate(ids[first : first + A_PAGE], start=first + 1))
        put_all(
            connection,
            [
                (PROVIDERS, [_provider(number, id) for number, id in some]),
                (STREAMS, [ProviderStream(number, id, 4, 3) for number, id in some]),
                (INVENTORIES, [row for number, id in some for row in _inventories(number, id)]),
            ],
        )


def _provider(number: int, provider_id: str) -> ProviderInterval:
    return ProviderInterval(
        from_position=number,
        to_position=None,
        from_at=0,
        to_at=None,
        provider_id=provider_id,
        registered_position=number,
        registered_at=0,
        deleted_at=None,
        name=f"host-{number}",
        parent_id=None,
        traits=to_text(["HW_CPU_X86_AVX2"] if number % 2 else []),
        groups=None,
    )


def _inventories(number: int, provider_id: str) -> list[InventoryInterval]:
    rows: list[InventoryInterval] = []
    for place, (name, total) in enumerate(CLASSES.items()):
        inventory = DivisibleInventory(total=total)
        rows.append(
            InventoryInterval(
                from_position=number * 10 + place,
                to_position=None,
                from_at=0,
                to_at=None,
                provider_id=provider_id,
                registered_position=number,
                resource_class=name,
                kind="divisible",
                total=total,
                capacity=total,
                inventory=inventory.model_dump_json(),
            )
        )
    return rows


def _store_claims(connection: Connection, ids: list[str], claims: int, seed: int) -> None:
    chance = random.Random(seed)
    resources = to_text({"VCPU": 1, "MEMORY_MB": 1_024, "DISK_GB": 10})
    for first in range(0, claims, A_PAGE):
        rows = [
            AllocationInterval(
                from_position=number + 1,
                to_position=None,
                from_at=0,
                to_at=None,
                hold_until=None,
                registered_position=chance.randrange(len(ids)) + 1,
                consumer_id=f"consumer-{number}",
                request_id=f"request-{number}",
                project_id="project",
                resources=resources,
                units=None,
            )
            for number in range(first, min(first + A_PAGE, claims))
        ]
        put_all(connection, [(ALLOCATIONS, rows)])


def _tail(ids: list[str], count: int, chance: random.Random) -> list[Event]:
    """Claims and releases that follow what is stored."""
    share = Share(resources={"VCPU": 1, "MEMORY_MB": 1_024, "DISK_GB": 10})
    versions = dict.fromkeys(ids, 4)
    events: list[Event] = []
    for number in range(count // 2):
        provider_id = chance.choice(ids)
        versions[provider_id] += 2
        stream, version = Provider.stream_of(provider_id), versions[provider_id]
        facts: dict[str, Any] = {"at": AT, "share": share, "project_id": "tail"}
        facts["consumer_id"] = f"tail-{number}"
        events += [
            Requested(
                originator_id=stream, originator_version=version - 1, request_id="tail", **facts
            ),
            Released(originator_id=stream, originator_version=version, **facts),
        ]
    return events
