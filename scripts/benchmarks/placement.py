"""`scripts/bench placement`: the same work on a real Placement and on Tallystick, in turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any

from scripts.benchmarks.load import Plan, Result
from scripts.benchmarks.placement_cloud import (
    CANDIDATES,
    ONE_DEVICE,
    TWO_DEVICES,
    PlacementCaller,
    claims_plan,
    make_claimed_on,
    make_flat,
    make_nested,
    releases_plan,
    same_answer,
)
from scripts.benchmarks.placement_sides import Side
from scripts.benchmarks.processor_time import processor_seconds
from scripts.benchmarks.resident import resident_mebibytes
from scripts.benchmarks.running import run_load

CLAIMED_ON = 64


@dataclass(frozen=True, kw_only=True)
class Settings:
    sizes: Sequence[int]
    hosts: int
    rounds: int
    clients: Sequence[int]
    seconds: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """The same thing measured on both; `mark` is how many times better it was to be."""

    what: str
    unit: str
    placement: float
    tallystick: float
    more_is_better: bool = False
    mark: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        worse, better = self.placement, self.tallystick
        if self.more_is_better:
            worse, better = better, worse
        return worse / better if better else None


@dataclass(frozen=True)
class Measured:
    result: Result
    processor_seconds: float
    """Of the service and its database, while it was asked."""

    @property
    def rate(self) -> float:
        return self.result.answered / max(self.result.elapsed_seconds, 1e-9)

    @property
    def processor_milliseconds(self) -> float:
        return self.processor_seconds * 1_000 / max(self.result.answered, 1)


@dataclass
class Bench:
    reference: Side
    ours: Side
    settings: Settings
    say: Callable[[str], None]
    lines: list[Line] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Answers that differ, and claims that failed."""

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.reference, self.ours

    def run(self) -> None:
        self._flat()
        if self.settings.hosts:
            self._nested()
        self._claims()
        self._memory()

    def _add(self, what: str, unit: str, found: Sequence[float], **more: Any) -> None:
        placement, tallystick = found
        line = Line(what=what, unit=unit, placement=placement, tallystick=tallystick, **more)
        self.lines.append(line)

    # --- Candidates -------------------------------------------------------------------------------

    def _flat(self) -> None:
        there = 0
        for size in sorted(self.settings.sizes):
            self.say(f"{size:,} providers are made")
            rates = [make_flat(one, self.settings.seed, range(there, size)) for one in self.sides]
            self._add(f"providers made, to {size:,}", "/s", rates, more_is_better=True)
            there = size
            mark = {1_000: 50.0, 10_000: 300.0}.get(size)
            self._candidates(f"{size:,} providers, limit 10", f"{CANDIDATES}&limit=10", mark)
            self._candidates(f"{size:,} providers, limit 1000", f"{CANDIDATES}&limit=1000", None)
            self._candidates(f"{size:,} providers, no limit", CANDIDATES, mark)

    def _nested(self) -> None:
        hosts = self.settings.hosts
        self.say(f"{hosts:,} NUMA hosts are made")
        rates = [make_nested(one, self.settings.seed, hosts) for one in self.sides]
        self._add(f"nested providers made, {hosts:,} hosts", "/s", rates, more_is_better=True)
        for what, query in (("one device", ONE_DEVICE), ("two devices, isolated", TWO_DEVICES)):
            name = f"{hosts:,} NUMA hosts, {what}"
            self._candidates(f"{name}, limit 10", f"{query}&limit=10", 500.0)
            self._candidates(f"{name}, limit 1000", f"{query}&limit=1000", None)
            self._candidates(f"{name}, no limit", query, 500.0)

    def _candidates(self, what: str, query: str, mark: float | None) -> None:
        self.say(f"candidates: {what}")
        path = f"/allocation_candidates?{query}"
        callers = [PlacementCaller(one) for one in self.sides]
        times: list[list[float]] = [[], []]
        answers = [b"", b""]
        for number in range(self.settings.rounds + 1):
            for side, caller in enumerate(callers):
                seconds, answers[side] = caller.seconds(path)
                if number:  # The first call is for both to have seen it all.
                    times[side].append(seconds * 1_000)
        for caller in callers:
            caller.close()
        if "limit" not in query and not same_answer(*answers):
            self.wrong.append(f"{what}: the answers differ")
        size = f"{len(answers[1]) / 1e6:.1f} MB"
        self._add(what, "ms", [median(one) for one in times], mark=mark, note=size)

    # --- Claims -----------------------------------------------------------------------------------

    def _claims(self) -> None:
        ids = [make_claimed_on(one, self.settings.seed, CLAIMED_ON) for one in self.sides]
        labels = count()
        for workload, many in (("spread", CLAIMED_ON), ("one hot provider", 1)):
            for clients in self.settings.clients:
                put: list[list[Measured]] = [[], []]
                deleted: list[list[Measured]] = [[], []]
                for _ in range(self.settings.rounds):
                    for side, one in enumerate(self.sides):
                        self.say(f"allocations, {workload}, {clients} clients: {one.name}")
                        plan = claims_plan(
                            one,
                            ids[side][:many],
                            clients=clients,
                            seconds=self.settings.seconds,
                            seed=self.settings.seed,
                            label=f"{next(labels):04d}",
                        )
                        put[side].append(self._measured(one, plan))
                        made = put[side][-1].result.answered
                        deleted[side].append(self._measured(one, releases_plan(plan, one, made)))
                name = f"{workload}, {clients} clients"
                self._add_load(f"allocations put, {name}", put, mark=20.0)
                self._add_load(f"allocations deleted, {name}", deleted)

    def _measured(self, side: Side, plan: Plan) -> Measured:
        before = self._processor(side)
        result = run_load(plan)
        if result.errors and side is self.ours:
            what = f"{plan.clients} clients: {result.errors} calls failed"
            self.wrong.append(f"{what}: {result.shown_errors[:1]}")
        return Measured(result, self._processor(side) - before)

    def _add_load(
        self, name: str, found: Sequence[Sequence[Measured]], mark: float | None = None
    ) -> None:
        slowest = [median(one.result.p99_milliseconds for one in side) for side in found]
        note = f"p99 {slowest[0]:,.0f} / {slowest[1]:,.1f} ms"
        rates = [median(one.rate for one in side) for side in found]
        self._add(name, "/s", rates, more_is_better=True, mark=mark, note=note)
        if all(side.pids for side in self.sides):
            cpu = [median(one.processor_milliseconds for one in side) for side in found]
            self._add(f"{name}: processor", "ms each", cpu)

    def _processor(self, side: Side) -> float:
        return sum(processor_seconds(pid) or 0.0 for pid in side.pids)

    def _memory(self) -> None:
        if not all(side.pids for side in self.sides):
            return
        found = [resident_mebibytes(one.pids) for one in self.sides]
        self._add("memory at the end, databases included", "MiB", found, mark=1.0)
