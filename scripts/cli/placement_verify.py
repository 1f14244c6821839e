"""Compares two Placements field by field, but for generations and times, which differ by nature."""

from collections.abc import Iterator
from typing import Any

from scripts.cli.placement_client import PlacementClient
from scripts.cli.progress import progress

Difference = dict[str, Any]


def differences(source: PlacementClient, target: PlacementClient) -> Iterator[Difference]:
    """Each as what it is of, the field, and what both have; None: nothing."""
    for what in ("classes", "traits"):
        first, second = getattr(source, what)(), getattr(target, what)()
        for name in sorted(first ^ second):
            yield _difference(f"{what} {name}", "is there", name in first, name in second)
    providers, there = source.providers(), target.providers()
    for id in there.keys() - providers.keys():
        yield _difference(f"provider {id}", "is there", False, True)
    done: set[str] = set()
    with progress("compare", len(providers)) as advance:
        for id, one in providers.items():
            if id in there:
                other = there[id]
                yield from _fields(
                    f"provider {id}",
                    {"name": one.name, "parent": one.parent_id, **source.described(id)},
                    {"name": other.name, "parent": other.parent_id, **target.described(id)},
                )
                consumers = {*source.consumers(id), *target.consumers(id)}
            else:
                yield _difference(f"provider {id}", "is there", True, False)
                consumers = set(source.consumers(id))
            for consumer in sorted(consumers - done):
                done.add(consumer)
                first, second = source.held(consumer)["held"], target.held(consumer)["held"]
                yield from _fields(f"consumer {consumer}", first, second)
            advance()


def _fields(of: str, first: Any, second: Any, field: str = "") -> Iterator[Difference]:
    if isinstance(first, dict) and isinstance(second, dict):
        for name in sorted({*first, *second}):
            path = f"{field}.{name}" if field else name
            yield from _fields(of, first.get(name), second.get(name), path)
    elif first != second:
        yield _difference(of, field, first, second)


def _difference(of: str, field: str, first: Any, second: Any) -> Difference:
    return {"of": of, "field": field, "source": first, "target": second}
