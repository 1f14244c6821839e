"""The load generator: closed-loop HTTP clients in a process of their own.

It shares two cores with what it measures, so it does next to nothing for a request: it joins
prepared pieces, writes them, and looks at the status, the length and one substring of the answer.
`python -m scripts.benchmarks.load` reads a plan as JSON on its input and writes its result as JSON.
"""

import asyncio
import gc
import json
import random
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from time import perf_counter_ns, process_time
from typing import cast

from scripts.benchmarks.answers import UnreadableAnswer, read_answer
from scripts.benchmarks.figures import percentile

NUMBER = "\x00"  # Stands in a template where the request's own number goes.
NUMBER_DIGITS = 8
ERRORS_SHOWN = 5
GRACE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to send. `label` and a counter make each request's number, always equally long."""

    port: int
    clients: int
    seconds: float
    seed: int
    label: str
    templates: list[str]
    expected_status: int
    expected_texts: list[str]
    host: str = "127.0.0.1"
    most: int | None = None
    """Requests; None: as many as there is time for."""


@dataclass(kw_only=True)
class Result:
    """What came back. `by_template` counts the good answers of each template, in plan order."""

    answered: int = 0
    errors: int = 0
    unanswered: int = 0
    elapsed_seconds: float = 0.0
    p50_milliseconds: float = 0.0
    p99_milliseconds: float = 0.0
    slowest_milliseconds: float = 0.0
    cpu_seconds: float = 0.0
    by_template: list[int] = field(default_factory=list)
    shown_errors: list[str] = field(default_factory=list)


def number_length(label: str) -> int:
    """The bytes that NUMBER turns into, which a template's Content-Length must count."""
    return len(label) + NUMBER_DIGITS


def requests_of(plan: Plan) -> Iterator[tuple[int, bytes]]:
    """Each is the index of its template and the bytes. The seed draws the order."""
    prepared = [
        (index, tuple(piece.encode() for piece in text.split(NUMBER)))
        for index, text in enumerate(plan.templates)
    ]
    draws = random.Random(plan.seed).choices(prepared, k=65_536)
    label = plan.label.encode()
    for number, (index, pieces) in enumerate(islice(cycle(draws), plan.most)):
        yield index, (b"%s%0*d" % (label, NUMBER_DIGITS, number)).join(pieces)


class Load:
    """The state that all clients of one run share."""

    def __init__(self, plan: Plan, done: asyncio.Event) -> None:
        self.requests = requests_of(plan)
        self.expected_status = plan.expected_status
        self.expected_texts = [text.encode() for text in plan.expected_texts]
        self.latencies_ns: list[int] = []
        self.result = Result(by_template=[0] * len(plan.templates))
        self.deadline_ns = 0
        self.last_answer_ns = 0
        self.working = 0
        self.done = done

    def judge(self, index: int, status: int, answer: bytes) -> None:
        wanted = not self.expected_texts or any(text in answer for text in self.expected_texts)
        if status == self.expected_status and wanted:
            self.result.by_template[index] += 1
        else:
            body = answer.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
            self.fail(f"{status}: {body}")

    def fail(self, what: str) -> None:
        self.result.errors += 1
        if len(self.result.shown_errors) < ERRORS_SHOWN:
            self.result.shown_errors.append(what[:600])

    def leave(self) -> None:
        self.working -= 1
        if not self.working:
            self.done.set()


class Client(asyncio.Protocol):
    """One keep-alive connection that sends its next request when the last one was answered."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.received = b""
        self.index = 0
        self.sent_ns = 0
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        following = next(self.load.requests, None)
        if following is None:
            self.load.leave()
            return
        self.index, request = following
        self.waiting = True
        self.sent_ns = perf_counter_ns()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        now = perf_counter_ns()
        if self.received:
            data = self.received + data
        try:
            answer = read_answer(data)
        except UnreadableAnswer as error:
            self.load.fail(str(error))
            self.transport.abort()
            return
        if answer is None:
            self.received = data
            return
        self._answered(answer[0], data[: answer[1]], now)
        self.received = data[answer[1] :]
        if now < self.load.deadline_ns:
            self.send()
        else:
            self.load.leave()

    def _answered(self, status: int, answer: bytes, now: int) -> None:
        self.waiting = False
        self.load.latencies_ns.append(now - self.sent_ns)
        self.load.last_answer_ns = now
        self.load.judge(self.index, status, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting:
            self.waiting = False
            self.load.result.unanswered += 1
            self.load.fail(f"connection lost while a request was under way: {exc!r}")
            self.load.leave()


async def run(plan: Plan) -> Result:
    """Connects every client, lets them all go at once, and waits for the last answers."""
    loop = asyncio.get_running_loop()
    load = Load(plan, asyncio.Event())
    clients = [
        (await loop.create_connection(lambda: Client(load), plan.host, plan.port))[1]
        for _ in range(plan.clients)
    ]
    load.working = len(clients)
    cpu_before, started_ns = process_time(), perf_counter_ns()
    load.deadline_ns = started_ns + int(plan.seconds * 1e9)
    for client in clients:
        client.send()
    await _finish(load, clients, plan.seconds + GRACE_SECONDS)
    load.result.cpu_seconds = process_time() - cpu_before
    load.result.elapsed_seconds = max(load.last_answer_ns - started_ns, 0) / 1e9
    return _with_latencies(load)


async def _finish(load: Load, clients: list[Client], timeout_seconds: float) -> None:
    try:
        await asyncio.wait_for(load.done.wait(), timeout_seconds)
    except TimeoutError:
        load.fail(f"{load.working} clients still waited after {timeout_seconds} s")
    for client in clients:
        client.transport.close()
    # Closing tells the protocols in the next turn of the loop, not at once.
    await asyncio.sleep(0)


def _with_latencies(load: Load) -> Result:
    ordered = sorted(load.latencies_ns)
    result = load.result
    result.answered = sum(result.by_template)
    if ordered:
        result.p50_milliseconds = percentile(ordered, 0.50) / 1e6
        result.p99_milliseconds = percentile(ordered, 0.99) / 1e6
        result.slowest_milliseconds = ordered[-1] / 1e6
    return result


def event_loop_factory() -> Callable[[], AbstractEventLoop]:
    """uvloop where it is installed; asyncio's own loop otherwise (it is not built for Windows)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def main() -> None:
    plan = Plan(**json.load(sys.stdin))
    # Nothing here makes cycles while it runs, and a collection would show up as server latency.
    gc.disable()
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        result = runner.run(run(plan))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
