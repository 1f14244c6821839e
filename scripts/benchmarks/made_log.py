"""A long log, made quickly: the events that the ledger writes for claims that come and go.

Every claim is asked for in one step, placed on one host, and released when many others were placed
after it. Seeded: the same numbers give the same log. `tally verify` finds it sound.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from domain.allocation import Share
from domain.claim import Claim, ClaimGranted, ClaimReleased
from domain.component import AmountsComponent, Consumer
from domain.events import Event
from domain.inventory import DivisibleInventory
from domain.provider import Provider
from domain.provider_events import (
    Claimed,
    InventoryChanged,
    ProviderRegistered,
    Released,
    Requested,
)
from domain.request import Request, RequestPlaced, RequestSubmitted
from domain.wish import Wish

E = TypeVar("E", bound=Event)

START = datetime(2026, 1, 1, tzinfo=UTC)


class Held(NamedTuple):
    """A claim that is held: whose it is, where, and how much."""

    consumer_id: str
    project_id: str
    host: str
    share: Share


def made_log(
    events: int, *, hosts: int = 1_000, held: int = 20_000, seed: int = 1
) -> Iterator[Event]:
    """About so many events; up to `held` claims are held at a time."""
    making = _Making(random.Random(seed))
    for number in range(hosts):
        yield from making.host(f"made-host-{number}")
    open_claims: deque[Held] = deque()
    while making.made < events:
        claim = making.claim()
        yield from making.placed(claim)
        open_claims.append(claim)
        if len(open_claims) > held:
            yield from making.released(open_claims.popleft())


class _Making:
    def __init__(self, chance: random.Random) -> None:
        self._random = chance
        self._versions: dict[str, int] = {}
        self._hosts: list[str] = []
        self._at = START
        self.made = 0

    def host(self, name: str) -> Iterator[Event]:
        id = self._id()
        stream = Provider.stream_of(id)
        self._hosts.append(id)
        yield self._next(ProviderRegistered, stream, name=name)
        for resource_class, total in (("VCPU", 1_000_000), ("MEMORY_MB", 2_000_000_000)):
            yield self._next(
                InventoryChanged,
                stream,
                resource_class=resource_class,
                inventory=DivisibleInventory(total=total),
            )

    def claim(self) -> Held:
        size = self._random.choice((1, 2, 4, 8))
        share = Share(resources={"VCPU": size, "MEMORY_MB": size * 4096})
        project = f"project-{self._random.randrange(50)}"
        return Held(self._id(), project, self._random.choice(self._hosts), share)

    def placed(self, claim: Held) -> Iterator[Event]:
        request_id = self._id()
        whose = {"consumer_id": claim.consumer_id, "project_id": claim.project_id}
        asked = {"request_id": request_id, **whose}
        shares = {claim.host: claim.share}
        request, provider = Request.stream_of(request_id), Provider.stream_of(claim.host)
        self._at += timedelta(milliseconds=self._random.randint(1, 2_000))
        yield self._next(
            RequestSubmitted,
            request,
            consumer=Consumer(id=claim.consumer_id),
            project_id=claim.project_id,
            user_id="ada",
            wish=Wish(components=(AmountsComponent(resources=claim.share.resources),)),
        )
        yield self._next(RequestPlaced, request, shares=shares, mappings=((claim.host,),))
        yield self._next(Requested, provider, share=claim.share, **asked)
        yield self._next(Claimed, provider, **asked)
        claimed = {"user_id": "ada", "consumer_type": "server", "shares": shares}
        yield self._next(ClaimGranted, Claim.stream_of(claim.consumer_id), **asked, **claimed)

    def released(self, claim: Held) -> Iterator[Event]:
        whose = {"consumer_id": claim.consumer_id, "project_id": claim.project_id}
        shares = {claim.host: claim.share}
        yield self._next(Released, Provider.stream_of(claim.host), share=claim.share, **whose)
        yield self._next(ClaimReleased, Claim.stream_of(claim.consumer_id), shares=shares, **whose)

    def _id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _next(self, kind: type[E], stream: str, **facts: Any) -> E:
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        self.made += 1
        return kind(originator_id=stream, originator_version=version, at=self._at, **facts)
