"""Where Tallystick's answers differ from Placement's, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from api.placement.allocation_bodies import SINCE_TYPES
from tests.placement.sequences import Step

LEFT_BEHIND = (
    "Placement keeps a consumer that holds nothing, at a generation of 0, after a first write that "
    "was empty or named an unknown provider"
)
MORE_RESERVED = (
    "Placement takes inventories of which more is reserved than there is: in its reshaper, and "
    "where a small allocation ratio rounds what is missing down to nothing"
)
FAILS = (
    "Placement fails where a provider shares whose own tree the query leaves out, and on "
    "PostgreSQL where a tree is to lack a trait"
)
FAILS_TO_ADD_UP = "Placement fails on PostgreSQL to add up what is used, at 1.38 and above"
COUNTED_TWICE = "Placement counts an amount twice where several groups ask for one class"
NEVER_CHANGED = "Placement does not say when a provider was changed that was written as it was"

Done = Sequence[tuple[Step, int]]
"""Calls, with the status of Placement's answers."""


def reason_of(done: Done, parts: Sequence[str], theirs: Any, ours: Any) -> str | None:
    """Why the bodies that answer the last of these calls, or else what is around them, differ in
    these parts; None: it is not known."""
    step, status = done[-1]
    if status == 500 and step.path.startswith("/allocation_candidates"):
        return FAILS
    if status == 500 and step.path.startswith("/usages?") and step.minor >= SINCE_TYPES:
        return FAILS_TO_ADD_UP
    consumers = {*_bodies(step), step.path.removeprefix("/allocations/")}
    if any(not consumers.isdisjoint(_left_behind(one, status)) for one, status in done[:-1]):
        return LEFT_BEHIND
    if any(record.get("reserved", 0) > record["total"] for record in _records(step.body)):
        return MORE_RESERVED
    is_provider = step.path.count("/") == 2 and step.path.startswith("/resource_providers/")
    if step.method == "PUT" and is_provider and parts == ["last-modified"]:
        return NEVER_CHANGED
    if parts == ["allocation_requests"] and _sums(ours) == {_asked(step)} != _sums(theirs):
        return COUNTED_TWICE
    return None


Sums = tuple[tuple[str, int], ...]


def _asked(step: Step) -> Sums:
    """What a query for candidates asks for, its groups together."""
    sums: Counter[str] = Counter()
    for name, value in parse_qsl(urlsplit(step.path).query):
        if name.startswith("resources"):
            for one in value.split(","):
                resource_class, _, amount = one.partition(":")
                sums[resource_class] += int(amount)
    return tuple(sorted(sums.items()))


def _sums(candidates: Any) -> set[Sums]:
    """What each of the requests takes together."""
    found = set()
    for request in candidates["allocation_requests"]:
        sums: Counter[str] = Counter()
        some = request["allocations"]
        for one in some.values() if isinstance(some, dict) else some:
            sums.update(one["resources"])
        found.add(tuple(sorted(sums.items())))
    return found


def _records(body: Any) -> Iterator[dict[str, Any]]:
    """The inventories anywhere in a body."""
    if not isinstance(body, dict):
        return
    if "total" in body:
        yield body
    for part in body.values():
        yield from _records(part)


def _writes_allocations(step: Step) -> bool:
    return step.method in ("PUT", "POST") and step.path.startswith(("/allocations", "/reshaper"))


def _bodies(step: Step) -> dict[str, Any]:
    """What the call says of each consumer."""
    if not _writes_allocations(step):
        return {}
    if step.path.startswith("/allocations/"):
        return {step.path.rpartition("/")[2]: step.body}
    bodies: dict[str, Any] = step.body["allocations"] if step.path == "/reshaper" else step.body
    return bodies


def _left_behind(step: Step, status: int) -> Iterator[str]:
    for consumer, body in _bodies(step).items():
        if status == 400 or not body["allocations"]:
            yield consumer
