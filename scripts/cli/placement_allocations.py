"""Copies what consumers hold."""

import threading
from types import TracebackType
from typing import Self

from scripts.cli.placement_client import WITHOUT_TYPES, Body, PlacementClient, PlacementRefused
from scripts.cli.placement_writes import Writes

UNKNOWN_TYPE = "unknown"
WIDE = {
    "total": 2**31 - 1,
    "reserved": 0,
    "min_unit": 1,
    "max_unit": 2**31 - 1,
    "step_size": 1,
    "allocation_ratio": 1.0,
}
"""An inventory that gives out anything: to put there what is more than the real one has."""


class AllocationCopy:
    """Goes by providers, so that only ids of consumers are kept. Threads share one. When it ends,
    inventories that were widened meanwhile are as they were."""

    def __init__(self, source: PlacementClient, target: PlacementClient, writes: Writes) -> None:
        self._source = source
        self._target = target
        self._writes = writes
        self._done: set[str] = set()
        self._widened: dict[str, Body] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for provider_id, real in self._widened.items():
            self._writes.replace(provider_id, {"inventories": real})

    def copy(self, provider_id: str, *, prune: bool) -> None:
        """Of all that hold something of a provider; and of those which hold it at the target only,
        if it is to be taken from them."""

        def copy() -> None:
            consumers = self._source.consumers(provider_id)
            if prune:
                consumers += self._target.consumers(provider_id)
            for consumer_id in self._new(consumers):
                self._writes.attempt(lambda: self._hold(consumer_id))  # noqa: B023 - done at once

        self._writes.attempt(copy)

    def _new(self, consumers: list[str]) -> list[str]:
        with self._lock:
            new = [one for one in dict.fromkeys(consumers) if one not in self._done]
            self._done.update(new)
        return new

    def _hold(self, consumer_id: str) -> None:
        wanted = self._source.held(consumer_id)["held"]
        there = self._target.held(consumer_id)
        if wanted == there["held"]:
            return
        if not wanted["allocations"]:
            self._writes.write("consumers removed", "DELETE", f"/allocations/{consumer_id}")
            return
        try:
            self._allocate(consumer_id, wanted, there["generation"])
        except PlacementRefused as refused:
            if refused.status != 409:
                raise
            # More than there is, since the inventory shrank, or in other steps than it gives now.
            for provider_id in wanted["allocations"]:
                self._widen(provider_id)
            self._allocate(consumer_id, wanted, there["generation"])

    def _allocate(self, consumer_id: str, wanted: Body, generation: int | None) -> None:
        body = {
            **wanted,
            "allocations": {
                id: {"resources": resources} for id, resources in wanted["allocations"].items()
            },
            "consumer_generation": generation,
        }
        path = f"/allocations/{consumer_id}"
        if wanted["consumer_type"] == UNKNOWN_TYPE:
            del body["consumer_type"]
            self._writes.write("consumers", "PUT", path, body, WITHOUT_TYPES)
        else:
            self._writes.write("consumers", "PUT", path, body)

    def _widen(self, provider_id: str) -> None:
        with self._lock:
            if provider_id in self._widened:
                return
            real = self._source.described(provider_id)["inventories"]
            self._writes.replace(provider_id, {"inventories": dict.fromkeys(real, WIDE)})
            self._widened[provider_id] = real
