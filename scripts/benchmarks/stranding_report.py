"""How much of the GPUs each policy gave away, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.stranding import PUBLISHED, Run

HALF_A_POINT = 0.5


@dataclass(frozen=True)
class Mean:
    """Over all seeds of a list and policy. Shares are per cent of the GPU thousandths."""

    pods: str
    policy: str
    seeds: int
    allocated: float
    lowest: float
    highest: float
    placed: float
    per_second: float


def means(runs: Sequence[Run]) -> list[Mean]:
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.pods, run.policy), []).append(run)
    return [
        Mean(
            pods=pods,
            policy=policy,
            seeds=len(some),
            allocated=100 * fmean(run.allocated for run in some),
            lowest=100 * min(run.allocated for run in some),
            highest=100 * max(run.allocated for run in some),
            placed=fmean(run.placed / run.requests for run in some),
            per_second=fmean(run.per_second for run in some),
        )
        for (pods, policy), some in groups.items()
    ]


def print_stranding(console: Console, found: Sequence[Mean]) -> None:
    table = Table(
        title="GPU thousandths allocated once all pods were tried, per cent",
        caption="Pods asking for 130 % of the GPUs, none leaves; each placement is a claim. "
        "× is the decisions/s against first fit's of the same list.",
    )
    for name in ("pods", "policy", "seeds", "mean", "lowest", "highest", "published", "per s", "×"):
        table.add_column(name, justify="left" if name in ("pods", "policy") else "right")
    speeds = {one.pods: one.per_second for one in found if one.policy == "first fit"}
    for one in found:
        published = _published(one)
        table.add_row(
            *(one.pods, one.policy, str(one.seeds), f"{one.allocated:.2f}"),
            *(f"{one.lowest:.2f}", f"{one.highest:.2f}"),
            "" if published is None else f"{published:.2f}",
            f"{one.per_second:,.0f}",
            f"{one.per_second / speeds[one.pods]:.2f}" if one.pods in speeds else "",
        )
    console.print(table)
    for name, met, said in marks(found):
        console.print(f"{'met   ' if met else 'MISSED'}  {name}: {said}")


def marks(found: Sequence[Mean]) -> list[tuple[str, bool, str]]:
    told: list[tuple[str, bool, str]] = []
    for one in found:
        published = _published(one)
        if published is None:
            continue
        said = f"{one.allocated:.2f} against {published:.2f}"
        if one.policy == "best fit":
            met = abs(one.allocated - published) <= HALF_A_POINT
            told.append((f"best fit within half a point, {one.pods}", met, said))
        else:
            # The mark is rounded up from what was published for the first list.
            wanted = 95.4 if one.pods == "default" else published
            told.append(
                (f"{one.policy} at least {wanted}, {one.pods}", one.allocated >= wanted, said)
            )
    return told


def as_json(runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "means": [asdict(one) for one in means(runs)],
        "published": PUBLISHED,
        "runs": [asdict(run) for run in runs],
    }


def _published(one: Mean) -> float | None:
    name = {"best fit": "best fit", "least stranding": "FGD"}.get(one.policy)
    return None if name is None else PUBLISHED[one.pods].get(name)
