"""The same search asked of a running service: what a client waits for ten candidates, or for why
there are none."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmarks.calls import Caller
from scripts.benchmarks.clouds import TRAIT
from scripts.benchmarks.running import running_service
from scripts.benchmarks.searching import LIMIT

REGISTRARS = 32
"""Connections that register hosts side by side, so that they are appended together."""


@dataclass(frozen=True)
class Answered:
    """Milliseconds of a call; `noop` is a call that does nothing, on the same connection."""

    providers: int
    what: str
    p50: float
    p99: float


def measure(
    folder: Path, sizes: Sequence[int], rounds: int, seed: int, say: Callable[[str], None]
) -> list[Answered]:
    found: list[Answered] = []
    with running_service(folder, None) as service:
        there = 0
        for providers in sorted(sizes):
            say(f"{providers:,} hosts are registered over HTTP")
            _register(service.port, range(there, providers), seed)
            there = providers
            say(f"{providers:,} hosts are searched over HTTP")
            chance = random.Random(seed)
            calls = {
                "noop": lambda: ("GET", "/livez", None),
                "candidates": lambda: _candidates(chance),  # noqa: B023 - used in this turn.
                "refusal explained": _refused,
            }
            # A connection of its own: another one would have been closed while hosts came.
            with Caller(service.port) as caller:
                for what, call in calls.items():
                    times = [_once(caller, *call()) for _ in range(rounds)]
                    p50, p99 = np.percentile(times, (50, 99)).tolist()
                    found.append(Answered(providers, what, p50, p99))
    return found


def _register(port: int, numbers: range, seed: int) -> None:
    def some(first: int) -> None:
        with Caller(port) as caller:
            for number in numbers[first::REGISTRARS]:
                caller.call("POST", "/v1/providers", _host(number, seed), expected=201)

    with ThreadPoolExecutor(REGISTRARS) as threads:
        list(threads.map(some, range(REGISTRARS)))


def _host(number: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed * 1_000_003 + number)
    return {
        "name": f"host-{number}",
        "traits": [TRAIT] if chance.random() < 0.5 else [],
        "inventories": {
            # As full as they would be, without the claims.
            "VCPU": {"kind": "divisible", "total": 1 + int(256 * (1 - chance.random() ** 0.3))},
            "MEMORY_MB": {"kind": "divisible", "total": 262_144, "reserved": 4_096},
            "DISK_GB": {"kind": "divisible", "total": 2_000},
        },
    }


def _candidates(chance: random.Random) -> tuple[str, str, None]:
    amounts = (
        f"VCPU:{chance.choice((2, 4, 8, 16))}",
        f"MEMORY_MB:{chance.choice((4_096, 8_192, 65_536))}",
        f"DISK_GB:{chance.choice((20, 40, 100))}",
    )
    wanted = f"resources={','.join(amounts)}&required_traits={TRAIT}&limit={LIMIT}"
    return "GET", f"/v1/candidates?{wanted}", None


def _refused() -> tuple[str, str, dict[str, Any]]:
    body = {
        "consumer": {"id": "dry"},
        "project_id": "dry",
        "user_id": "dry",
        "required_traits": [TRAIT],
        "components": [{"kind": "amounts", "resources": {"VCPU": 100_000, "MEMORY_MB": 4_096}}],
    }
    return "POST", "/v1/requests?dry_run=true", body


def _once(caller: Caller, method: str, path: str, body: dict[str, Any] | None) -> float:
    began = time.perf_counter()
    caller.call(method, path, body, expected=200)
    return (time.perf_counter() - began) * 1_000
