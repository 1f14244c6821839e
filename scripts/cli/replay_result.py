"""What a replay counts from the answers, and how it is shown."""

import time
from collections import Counter
from collections.abc import Iterable

from scripts.cli import screen
from scripts.cli.client import Body
from scripts.cli.replay_schedule import CPU, GPU, MEMORY, Step
from scripts.cli.replay_trace import WHOLE_GPU, Node

Reason = tuple[str, str]


class ReplayCount:
    """Use is followed from the allocations in the answers, so it is the service's word, not the
    trace's."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.capacity: Counter[str] = Counter()
        for node in nodes:
            self.capacity[CPU] += node.cpu_milli
            self.capacity[MEMORY] += node.memory_mib
            self.capacity[GPU] += node.gpus * WHOLE_GPU
        self.steps: Counter[str] = Counter()
        self.placed = 0
        self.refused = 0
        self.pods_by_reason: Counter[Reason] = Counter()
        self.providers_by_reason: Counter[Reason] = Counter()
        self.usage: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self._held: dict[str, Counter[str]] = {}
        self._begun = time.monotonic()

    def holds(self, pod: str) -> bool:
        return pod in self._held

    def record(self, step: Step, answer: Body) -> None:
        self.steps[step.kind] += 1
        if step.kind == "request":
            if answer["status"] == "refused":
                self._record_refusal(answer)
            else:
                self._record_claim(step.name, answer)
        elif step.kind == "release":
            self.usage.subtract(self._held.pop(step.name))

    def _record_claim(self, pod: str, answer: Body) -> None:
        held: Counter[str] = Counter()
        for allocation in answer["allocations"]:
            held[allocation["resource_class"]] += allocation["amount"]
        self.placed += 1
        self._held[pod] = held
        self.usage.update(held)
        for name in held:
            self.peak[name] = max(self.peak[name], self.usage[name])

    def _record_refusal(self, answer: Body) -> None:
        self.refused += 1
        # Reasons with another detail count as one here; a pod counts once for each.
        met: list[Reason] = []
        for reason in answer["reasons"]:
            name = (reason["code"], reason["resource_class"] or "")
            self.providers_by_reason[name] += reason["count"]
            if name not in met:
                met.append(name)
        self.pods_by_reason.update(met)

    def report(self) -> Body:
        seconds = time.monotonic() - self._begun
        writes = self.steps.total()
        return {
            "nodes": self.steps["register"],
            "pods": self.steps["request"],
            "placed": self.placed,
            "refused": self.refused,
            "refused_by_reason": [
                {
                    "code": code,
                    "resource_class": resource_class or None,
                    "pods": pods,
                    "providers": self.providers_by_reason[code, resource_class],
                }
                for (code, resource_class), pods in sorted(
                    self.pods_by_reason.items(), key=lambda item: (-item[1], item[0])
                )
            ],
            "released": self.steps["release"],
            "still_held": len(self._held),
            "peak": {
                name: {"usage": self.peak[name], "capacity": self.capacity[name]}
                for name in sorted(self.capacity)
            },
            "requests_sent": writes,
            "wall_seconds": round(seconds, 3),
            "requests_per_second": round(writes / seconds, 1) if seconds > 0 else None,
        }


def show(report: Body) -> None:
    counts = ("nodes", "pods", "placed", "refused", "released", "still_held", "requests_sent")
    rows = [(name.replace("_", " "), screen.number(report[name])) for name in counts]
    rows.append(("wall time", f"{report['wall_seconds']:.1f} s"))
    rows.append(("requests per second", screen.number(round(report["requests_per_second"] or 0))))
    screen.table(("replayed", ""), rows, right=("",))
    if report["refused_by_reason"]:
        screen.table(
            ("refused because", "class", "pods", "providers"),
            (
                (
                    reason["code"],
                    reason["resource_class"] or "",
                    screen.number(reason["pods"]),
                    screen.number(reason["providers"]),
                )
                for reason in report["refused_by_reason"]
            ),
            title="A pod counts once for each reason that it met; providers are summed over pods.",
            right=("pods", "providers"),
        )
    screen.table(
        ("class", "peak use", "capacity", ""),
        (
            (
                name,
                screen.number(peak["usage"]),
                screen.number(peak["capacity"]),
                screen.bar(peak["usage"], peak["capacity"]),
            )
            for name, peak in report["peak"].items()
        ),
        right=("peak use", "capacity"),
    )
