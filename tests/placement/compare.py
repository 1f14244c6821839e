"""The same made-up calls to two services that speak Placement's API, and what differs.

    python -m tests.placement.compare LEFT RIGHT [--sequences N] [--seed S] [--length L]

Prints each difference with the calls that led to it, and a table at the end; fails if there are any
that are not known (`tests/placement/known_differences.py`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.placement.known_differences import reason_of
from tests.placement.sequences import GENERATION, Maker, Step

COMPARED_HEADERS = ("openstack-api-version", "vary", "cache-control")


@dataclass(frozen=True)
class Told:
    """An answer, as far as it is compared."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...]


class Side:
    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=60)
        self._prefix = urlsplit(url).path.rstrip("/")

    def close(self) -> None:
        self._http.close()

    def send(self, step: Step) -> Told:
        headers = {
            "X-Auth-Token": "admin",
            "OpenStack-API-Version": f"placement 1.{step.minor}",
            "Accept": "application/json",
            **step.headers,
        }
        content = step.raw
        if step.body is not None:
            content = json.dumps(self._resolved(step.body)).encode()
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        answer = self._http.request(step.method, step.path, content=content, headers=headers)
        return _told(step, answer, self._prefix)

    def _resolved(self, body: Any) -> Any:
        if isinstance(body, dict):
            return {key: self._resolved(value) for key, value in body.items()}
        if isinstance(body, str) and body.startswith(GENERATION):
            return self._generation(body.removeprefix(GENERATION))
        return body

    def _generation(self, path: str) -> Any:
        headers = {"X-Auth-Token": "admin", "OpenStack-API-Version": "placement 1.39"}
        found = self._http.get(path, headers=headers).json()
        is_consumer = path.startswith("/allocations")
        return found.get("consumer_generation" if is_consumer else "generation", None)


def _told(step: Step, answer: httpx.Response, prefix: str) -> Told:
    headers = [(name, answer.headers.get(name, "")) for name in COMPARED_HEADERS]
    headers.append(("last-modified", str("last-modified" in answer.headers)))
    location = urlsplit(answer.headers.get("location", "")).path
    headers.append(("location", location.removeprefix(prefix)))
    try:
        # Links begin with the path that the service is mounted under.
        body = json.loads(answer.text.replace(f'"{prefix}/', '"/')) if answer.content else None
    except ValueError:
        body = answer.headers.get("content-type", "").split(";")[0]
    if isinstance(body, dict) and "errors" in body:
        (error,) = body["errors"]
        body = {name: error.get(name) for name in ("status", "title", "code")}
    elif isinstance(body, dict) and "limit=" in step.path and "allocation_requests" in body:
        # Which of them come first is not specified.
        body = len(body["allocation_requests"])
    return Told(answer.status_code, _in_order(body), tuple(headers))


def _in_order(value: Any) -> Any:
    """Lists mean sets in all of the API."""
    if isinstance(value, dict):
        return {key: _in_order(one) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return sorted((_in_order(one) for one in value), key=json.dumps)
    return value


@dataclass
class Comparison:
    left: Side
    right: Side
    calls: Counter[tuple[str, int]]
    known: Counter[str]
    unknown: int = 0

    def run(self, seed: int, length: int) -> None:
        """Up to the first difference: after it the two are no longer in the same state."""
        done: list[tuple[Step, int]] = []
        for step in Maker(seed).steps(length):
            first, second = self.left.send(step), self.right.send(step)
            done.append((step, first.status))
            self.calls[step.method, first.status] += 1
            if first == second:
                continue
            reason = reason_of(done, _differing(first, second), first.body, second.body)
            if reason is None:
                self.unknown += 1
                print(_described(seed, done, first, second), flush=True)
                return
            self.known[reason] += 1
            if first.status != second.status:
                return


def _described(seed: int, done: list[tuple[Step, int]], first: Told, second: Told) -> str:
    lines = [f"--- seed {seed}, call {len(done)}: {', '.join(_differing(first, second))}"]
    for step, _ in done:
        body = "" if step.body is None else json.dumps(step.body)
        lines.append(f"  1.{step.minor} {step.method} {step.path} {body}")
    for name, told in (("left", first), ("right", second)):
        lines.append(f"{name}: {told.status} {json.dumps(told.body)} {dict(told.headers)}")
    return "\n".join(lines)


def _differing(first: Told, second: Told) -> list[str]:
    """Where the answers differ: the status, headers, or the parts of the body."""
    parts = ["status"] if first.status != second.status else []
    headers = zip(first.headers, second.headers, strict=True)
    parts += [name for (name, one), (_, other) in headers if one != other]
    if isinstance(first.body, dict) and isinstance(second.body, dict):
        names = sorted({*first.body, *second.body})
        parts += [name for name in names if first.body.get(name) != second.body.get(name)]
    elif first.body != second.body:
        parts.append("body")
    return parts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("left")
    parser.add_argument("right")
    parser.add_argument("--sequences", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--length", type=int, default=25)
    given = parser.parse_args()
    comparison = Comparison(Side(given.left), Side(given.right), Counter(), Counter())
    for number in range(given.sequences):
        comparison.run(given.seed + number, given.length)
        if (number + 1) % 50 == 0:
            print(f"{number + 1} sequences, {comparison.unknown} differences", flush=True)
    for (method, status), count in sorted(comparison.calls.items()):
        print(f"{method:7}{status:5}{count:8}")
    for reason, count in comparison.known.most_common():
        print(f"known: {reason}: {count}")
    print(f"{comparison.unknown} unknown differences in {given.sequences} sequences")
    return 1 if comparison.unknown else 0


if __name__ == "__main__":
    sys.exit(main())
