"""Compares what the files say with what the ledger knows, and plans the writes between the two.

An import adds and changes; it never takes away: what the files do not name stays as it is.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from domain.inventory import Inventories
from scripts.cli.client import Body, ServiceClient, Write
from scripts.cli.import_entries import Draft, Gathered

INVENTORIES: TypeAdapter[Inventories] = TypeAdapter(Inventories)


@dataclass(slots=True)
class Plan:
    """Writes in order, and the names of what they are about."""

    writes: list[Write] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    traits: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def report(self) -> Body:
        return {
            "resource_classes": self.classes,
            "traits": self.traits,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
        }


def plan(
    client: ServiceClient, gathered: Gathered, drafts: list[Draft], advance: Callable[[], None]
) -> Plan:
    """Reads only. What is wrong is added to `gathered.problems`: then no write must be sent."""
    result = Plan()
    for kind, names, fresh in (
        ("resource-classes", gathered.classes, result.classes),
        ("traits", gathered.traits, result.traits),
    ):
        known = {item["name"] for item in client.pages(f"/v1/{kind}")}
        fresh.extend(sorted(names - known))
        # Without a key: the same PUT twice is harmless, and a name removed since is defined again.
        result.writes.extend(Write("PUT", f"/v1/{kind}/{name}") for name in fresh)
    comparison = _Comparison(client, gathered.problems, result)
    for draft in drafts:
        comparison.add(draft)
        advance()
    return result


class _Comparison:
    def __init__(self, client: ServiceClient, problems: list[str], result: Plan) -> None:
        self._client = client
        self._problems = problems
        self._result = result
        # Ids by name, of the files' providers that were looked at and of parents elsewhere.
        self._ids: dict[str, str] = {}

    def add(self, draft: Draft) -> None:
        there = self._there(draft)
        self._ids[draft.name] = draft.wanted_id if there is None else there["id"]
        parent_id = self._parent_id(draft)
        if there is None:
            self._result.new.append(draft.name)
            # Without a key: its id already makes it unique, and the key would answer "registered"
            # for a provider that was deleted since.
            registration = _registration(draft, parent_id)
            self._result.writes.append(Write("POST", "/v1/providers", registration))
        else:
            before = len(self._result.writes)
            self._change(draft, there, parent_id)
            changed = len(self._result.writes) > before
            (self._result.changed if changed else self._result.unchanged).append(draft.name)

    def _there(self, draft: Draft) -> Body | None:
        """By the files' id if they give one; else by name, and last by the name's own id."""
        if draft.id is None:
            for provider in self._client.pages("/v1/providers", limit=1, name=draft.name):
                return provider
        return self._client.find(f"/v1/providers/{draft.wanted_id}")

    def _parent_id(self, draft: Draft) -> str | None:
        if draft.parent_id is not None:
            known = draft.parent_id in self._ids.values()
            if not known and self._client.find(f"/v1/providers/{draft.parent_id}") is None:
                self._no_parent(draft, draft.parent_id)
            return draft.parent_id
        if draft.parent is None:
            return None
        if draft.parent not in self._ids:
            for provider in self._client.pages("/v1/providers", limit=1, name=draft.parent):
                self._ids[draft.parent] = provider["id"]
        if draft.parent not in self._ids:
            self._no_parent(draft, draft.parent)
        return self._ids.get(draft.parent)

    def _no_parent(self, draft: Draft, parent: str) -> None:
        self._problems.append(
            f"{draft.place}: the parent {parent} is neither in the files nor in the ledger"
        )

    def _change(self, draft: Draft, there: Body, parent_id: str | None) -> None:
        path = f"/v1/providers/{there['id']}"
        changes: list[tuple[str, str, Body]] = []
        has = INVENTORIES.validate_python(there["inventories"])
        gets = {**has, **draft.inventories()}
        if gets != has:
            changes.append(("PUT", f"{path}/inventories", _inventories(gets)))
        for noun, names in (("traits", draft.traits), ("groups", draft.groups)):
            together = sorted({*there[noun], *names})
            if together != sorted(there[noun]):
                changes.append(("PUT", f"{path}/{noun}", {noun: together}))
        move: Body = {}
        if parent_id is not None and parent_id != there["parent_id"]:
            move["parent_id"] = parent_id
        if draft.name != there["name"]:
            move["name"] = draft.name
        if move:
            changes.append(("PATCH", path, move))
        self._result.writes.extend(_conditional(changes, int(there["version"])))


def _conditional(changes: list[tuple[str, str, Body]], version: int) -> Iterator[Write]:
    """The first holds the ledger to the version that was compared with: nobody's change is lost."""
    for number, (method, path, body) in enumerate(changes):
        # The version is part of the key: the same change may be due again after somebody undid
        # it, and is no repetition then.
        content = json.dumps([method, path, version, body], sort_keys=True)
        key = f"import-{hashlib.sha256(content.encode()).hexdigest()}"
        if_match = version if number == 0 else None
        yield Write(method, path, body, key=key, if_match=if_match)


def _registration(draft: Draft, parent_id: str | None) -> Body:
    body: Body = {
        "id": draft.wanted_id,
        "name": draft.name,
        "traits": sorted(draft.traits),
        "groups": sorted(draft.groups),
        **_inventories(draft.inventories()),
    }
    if parent_id is not None:
        body["parent_id"] = parent_id
    return body


def _inventories(inventories: Inventories) -> Body:
    return {"inventories": INVENTORIES.dump_python(inventories, mode="json")}
