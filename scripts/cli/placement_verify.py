"""Compares two Placements field by field, but for generations and times, which differ by nature."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scripts.cli.placement_client import CONNECTIONS, PlacementClient, Provider
from scripts.cli.progress import progress

Difference = dict[str, Any]
AT_ONCE = 1_000
"""Providers that are compared before what was found of them is told."""


def differences(source: PlacementClient, target: PlacementClient) -> Iterator[Difference]:
    """Each as what it is of, the field, and what both have; None: nothing."""
    return Comparison(source, target).differences()


class Comparison:
    def __init__(self, source: PlacementClient, target: PlacementClient) -> None:
        self._source = source
        self._target = target
        self._done: set[str] = set()
        self._lock = threading.Lock()

    def differences(self) -> Iterator[Difference]:
        for what in ("classes", "traits"):
            first, second = getattr(self._source, what)(), getattr(self._target, what)()
            for name in sorted(first ^ second):
                yield _difference(f"{what} {name}", "is there", name in first, name in second)
        providers, there = self._source.providers(), self._target.providers()
        for id in there.keys() - providers.keys():
            yield _difference(f"provider {id}", "is there", False, True)
        ids = list(providers)
        with (
            progress("compare", len(ids)) as advance,
            ThreadPoolExecutor(CONNECTIONS) as threads,
        ):
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                for found in threads.map(
                    lambda id: list(self._of_provider(providers[id], there.get(id))), some
                ):
                    yield from found
                    advance()

    def _of_provider(self, one: Provider, other: Provider | None) -> Iterator[Difference]:
        consumers = {*self._source.consumers(one.id)}
        if other is None:
            yield _difference(f"provider {one.id}", "is there", True, False)
        else:
            yield from _fields(
                f"provider {one.id}",
                {"name": one.name, "parent": one.parent_id, **self._source.described(one.id)},
                {"name": other.name, "parent": other.parent_id, **self._target.described(one.id)},
            )
            consumers.update(self._target.consumers(one.id))
        for consumer in self._new(consumers):
            first, second = self._source.held(consumer)["held"], self._target.held(consumer)["held"]
            yield from _fields(f"consumer {consumer}", first, second)

    def _new(self, consumers: set[str]) -> list[str]:
        with self._lock:
            new = sorted(consumers - self._done)
            self._done.update(new)
        return new


def _fields(of: str, first: Any, second: Any, field: str = "") -> Iterator[Difference]:
    if isinstance(first, dict) and isinstance(second, dict):
        for name in sorted({*first, *second}):
            path = f"{field}.{name}" if field else name
            yield from _fields(of, first.get(name), second.get(name), path)
    elif first != second:
        yield _difference(of, field, first, second)


def _difference(of: str, field: str, first: Any, second: Any) -> Difference:
    return {"of": of, "field": field, "source": first, "target": second}
