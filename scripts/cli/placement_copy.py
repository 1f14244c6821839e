"""Copies what one Placement has into another: what is there already is left as it is.

Each step reads what the target has and writes only what differs. So a copy that broke off goes on
where it was when it is started again, and nothing is doubled.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from scripts.cli.placement_client import (
    CONNECTIONS,
    WITHOUT_TYPES,
    Body,
    PlacementClient,
    PlacementRefused,
    Provider,
)
from scripts.cli.progress import progress

T = TypeVar("T")

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


class Copy:
    """`counts` says what was written. With `dry_run` nothing is, and it says what would be."""

    def __init__(
        self, source: PlacementClient, target: PlacementClient, *, prune: bool, dry_run: bool
    ) -> None:
        self._source = source
        self._target = target
        self._prune = prune
        self._dry_run = dry_run
        self._widened: dict[str, Body] = {}
        self._widening = threading.Lock()
        self._counting = threading.Lock()
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        self._catalogs()
        providers = self._source.providers()
        there = self._target.providers()
        self._providers(providers, there)
        self._each(
            "describe", list(providers), lambda id: self._describe(id, is_new=id not in there)
        )
        try:
            self._allocations(list(providers), there)
        finally:
            self._narrow()

    # --- Names and providers ----------------------------------------------------------------------

    def _catalogs(self) -> None:
        for what, path in (("classes", "/resource_classes"), ("traits", "/traits")):
            names = getattr(self._source, what)() - getattr(self._target, what)()
            for name in sorted(names):
                self._write(what, "PUT", f"{path}/{name}")

    def _providers(self, wanted: dict[str, Provider], there: dict[str, Provider]) -> None:
        with progress("providers", len(wanted)) as advance:
            for one in wanted.values():
                body = {"name": one.name, "parent_provider_uuid": one.parent_id}
                if one.id not in there:
                    self._write(
                        "providers", "POST", "/resource_providers", {**body, "uuid": one.id}
                    )
                elif there[one.id] != one:
                    self._write("providers", "PUT", f"/resource_providers/{one.id}", body)
                advance()

    def _describe(self, provider_id: str, *, is_new: bool) -> None:
        wanted = self._source.described(provider_id)
        nothing: Body = {"inventories": {}, "traits": [], "aggregates": []}
        there = nothing if is_new else self._target.described(provider_id)
        for part, value in wanted.items():
            if there[part] != value:
                self._put(provider_id, part, value)

    def _put(self, provider_id: str, part: str, value: object) -> None:
        if self._dry_run:
            self._count(part)
            return
        generation = self._target.generation(provider_id)
        body = {"resource_provider_generation": generation, part: value}
        self._write(part, "PUT", f"/resource_providers/{provider_id}/{part}", body)

    # --- Allocations ------------------------------------------------------------------------------

    def _allocations(self, providers: Sequence[str], there: dict[str, Provider]) -> None:
        """Provider by provider, so that only ids of consumers are kept."""
        done: set[str] = set()
        with progress("allocations of providers", len(providers)) as advance:
            for provider_id in providers:
                consumers = [*self._source.consumers(provider_id)]
                if self._prune and provider_id in there:
                    consumers += self._target.consumers(provider_id)
                new = [one for one in dict.fromkeys(consumers) if one not in done]
                done.update(new)
                self._together(new, self._hold)
                advance()

    def _hold(self, consumer_id: str) -> None:
        wanted = self._source.held(consumer_id)["held"]
        there = self._target.held(consumer_id)
        if wanted == there["held"]:
            return
        if not wanted["allocations"]:
            self._write("consumers removed", "DELETE", f"/allocations/{consumer_id}")
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
            self._write("consumers", "PUT", path, body, WITHOUT_TYPES)
        else:
            self._write("consumers", "PUT", path, body)

    def _widen(self, provider_id: str) -> None:
        with self._widening:
            if provider_id in self._widened:
                return
            real = self._source.described(provider_id)["inventories"]
            self._put(provider_id, "inventories", dict.fromkeys(real, WIDE))
            self._widened[provider_id] = real

    def _narrow(self) -> None:
        for provider_id, real in self._widened.items():
            self._put(provider_id, "inventories", real)

    # --- How it is done ---------------------------------------------------------------------------

    def _each(self, what: str, ids: Sequence[str], work: Callable[[str], None]) -> None:
        with progress(what, len(ids)) as advance:

            def step(id: str) -> None:
                work(id)
                advance()

            self._together(ids, step)

    def _together(self, ids: Iterable[str], work: Callable[[str], T]) -> None:
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            for _ in threads.map(work, ids):
                pass

    def _write(self, what: str, *call: Any) -> None:
        if not self._dry_run:
            self._target.write(*call)
        self._count(what)

    def _count(self, what: str) -> None:
        with self._counting:
            self.counts[what] += 1
