"""The same clouds, and the same calls, for both sides."""

import json
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection
from statistics import median
from typing import Any

from scripts.benchmarks.calls import CallFailed
from scripts.benchmarks.load import NUMBER, Plan, number_length
from scripts.benchmarks.placement_sides import Side

HEADERS = {
    "X-Auth-Token": "admin",
    "OpenStack-API-Version": "placement 1.39",
    "Content-Type": "application/json",
    "Accept": "application/json",
}
TRAIT = "HW_CPU_X86_AVX2"
REGISTRARS = 8
"""Connections that make providers side by side."""
FLAT = {
    "VCPU": {"total": 64, "allocation_ratio": 16.0},
    "MEMORY_MB": {"total": 262_144, "allocation_ratio": 1.5, "reserved": 4_096},
    "DISK_GB": {"total": 2_000},
}
CANDIDATES = f"resources=VCPU:1,MEMORY_MB:1024,DISK_GB:10&required={TRAIT}"
ONE_DEVICE = "resources=VCPU:2,MEMORY_MB:512&resources1=SRIOV_NET_VF:1&group_policy=isolate"
TWO_DEVICES = f"{ONE_DEVICE}&resources2=SRIOV_NET_VF:1"
ASKED = {"VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1}
ASKED_SECONDS = 0.5
CONSUMER = f"00000000-0000-4000-8000-{NUMBER}"
TOTAL = 2_000_000_000
"""Of the providers that are claimed on: too large to fill."""


class PlacementCaller:
    def __init__(self, side: Side) -> None:
        self._side = side
        self._connection = HTTPConnection(side.host, side.port, timeout=120)

    def call(self, method: str, path: str, body: object = None) -> bytes:
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, f"{self._side.prefix}{path}", sent, HEADERS)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise CallFailed(f"{method} {path} answered {answer.status}: {text[:600]!r}")
        return text

    def seconds(self, path: str) -> tuple[float, bytes]:
        """The median of as many calls as half a second has room for, and what they answer."""
        # Idle while the other side answered, it may have been closed for that.
        self._connection.close()
        self._connection.connect()
        times: list[float] = []
        text = b""
        while sum(times) < ASKED_SECONDS:
            started = time.perf_counter()
            text = self.call("GET", path)
            times.append(time.perf_counter() - started)
        return median(times), text

    def close(self) -> None:
        self._connection.close()


def provider_id(seed: int, number: int) -> str:
    return str(uuid.UUID(int=random.Random(seed * 10_000_019 + number).getrandbits(128), version=4))


def make_flat(side: Side, seed: int, numbers: range) -> float:
    """Providers with inventories, a trait and an aggregate: four calls each. Providers a second."""
    aggregate = provider_id(seed, -1)

    def some(first: int) -> None:
        caller = PlacementCaller(side)
        for number in numbers[first::REGISTRARS]:
            made = provider_id(seed, number)
            path = f"/resource_providers/{made}"
            caller.call("POST", "/resource_providers", {"name": f"flat-{number}", "uuid": made})
            put = {"resource_provider_generation": 0, "inventories": FLAT}
            caller.call("PUT", f"{path}/inventories", put)
            put = {"resource_provider_generation": 1, "traits": [TRAIT]}
            caller.call("PUT", f"{path}/traits", put)
            put = {"resource_provider_generation": 2, "aggregates": [aggregate]}
            caller.call("PUT", f"{path}/aggregates", put)
        caller.close()

    return len(numbers) / _together(some)


def make_nested(side: Side, seed: int, hosts: int) -> float:
    """Hosts with two NUMA cells and two devices of eight functions in each. Providers a second."""

    def some(first: int) -> None:
        caller = PlacementCaller(side)
        for number in range(first, hosts, REGISTRARS):
            for made, parent, inventories in _nested(seed, number):
                body = {"name": made, "uuid": made, "parent_provider_uuid": parent}
                caller.call("POST", "/resource_providers", body)
                if inventories:
                    put = {"resource_provider_generation": 0, "inventories": inventories}
                    caller.call("PUT", f"/resource_providers/{made}/inventories", put)
        caller.close()

    return hosts * 7 / _together(some)


def _nested(seed: int, host: int) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    ids = [provider_id(seed + 1, host * 7 + n) for n in range(7)]
    root, cells, devices = ids[0], ids[1:3], ids[3:]
    yield root, None, {}
    for cell in cells:
        yield cell, root, {"VCPU": {"total": 16}, "MEMORY_MB": {"total": 65_536}}
    for number, device in enumerate(devices):
        yield device, cells[number // 2], {"SRIOV_NET_VF": {"total": 8}}


def _together(some: Any) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(REGISTRARS) as threads:
        list(threads.map(some, range(REGISTRARS)))
    return time.perf_counter() - started


def make_claimed_on(side: Side, seed: int, count: int) -> list[str]:
    caller = PlacementCaller(side)
    ids = [provider_id(seed + 2, number) for number in range(count)]
    inventories = {name: {"total": TOTAL} for name in ASKED}
    for made in ids:
        caller.call("POST", "/resource_providers", {"name": made, "uuid": made})
        put = {"resource_provider_generation": 0, "inventories": inventories}
        caller.call("PUT", f"/resource_providers/{made}/inventories", put)
    caller.close()
    return ids


def claims_plan(
    side: Side, ids: Sequence[str], *, clients: int, seconds: float, seed: int, label: str
) -> Plan:
    """`label`: four digits, others for each run: consumers are made of it."""
    assert len(label) + 8 == 12
    return Plan(
        port=side.port,
        host=side.host,
        clients=clients,
        seconds=seconds,
        seed=seed,
        label=label,
        templates=[_claim(side, one) for one in ids],
        expected_status=204,
        expected_texts=[],
    )


def releases_plan(made: Plan, side: Side, count: int) -> Plan:
    """Gives back what so many claims of a plan hold."""
    head = [f"DELETE {side.prefix}/allocations/{CONSUMER} HTTP/1.1", f"Host: {side.host}"]
    head += [f"{name}: {value}" for name, value in HEADERS.items()]
    return replace(made, templates=["\r\n".join([*head, "", ""])], most=count)


def _claim(side: Side, provider: str) -> str:
    assert number_length("0000") == 12
    body = json.dumps(
        {
            "allocations": {provider: {"resources": ASKED}},
            "project_id": "benchmark-project",
            "user_id": "benchmark-user",
            "consumer_generation": None,
            "consumer_type": "INSTANCE",
        }
    )
    head = [f"PUT {side.prefix}/allocations/{CONSUMER} HTTP/1.1"]
    head += [f"Host: {side.host}", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in HEADERS.items()]
    return "\r\n".join([*head, "", body])


def same_answer(first: bytes, second: bytes) -> bool:
    """Whether two answers list the same candidates and summaries, in whatever order."""
    return _as_set(first) == _as_set(second)


def _as_set(text: bytes) -> tuple[set[str], dict[str, object]]:
    told = json.loads(text)
    requests = {json.dumps(_sorted(one), sort_keys=True) for one in told["allocation_requests"]}
    summaries = {id: _sorted(one) for id, one in told["provider_summaries"].items()}
    return requests, summaries


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(one) for key, one in value.items()}
    return sorted(value) if isinstance(value, list) else value
