"""The whole of an audit: every bill that is stated, checked, and every difference, explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.audit.checking import Checked, Verdict, check
from infra.audit.evidence import Difference, explain
from infra.audit.kept_lines import KeptLines
from infra.audit.log_source import Progress
from infra.audit.replay import Line, Replay
from infra.audit.stated import Stated

MOST_EXPLAINED = 20
"""Differences that are explained; where there are more, they have mostly one reason."""
ToldLines = Callable[[Stated], Sequence[Line] | None]
"""The lines that a service tells of a bill; None where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`differences` are by the places of the bills in `checked`."""

    checked: list[Checked]
    differences: dict[int, Difference]

    @property
    def ok(self) -> bool:
        return all(one.verdict is Verdict.AGREES for one in self.checked)

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.checked)


def audit(
    replay: Replay,
    stated: Sequence[Stated],
    told_lines: ToldLines,
    progress: Progress,
    kept: KeptLines | None = None,
) -> AuditReport:
    differences: dict[int, Difference] = {}

    def look(place: int, bill: int, one: Checked) -> None:
        if kept is not None:
            kept.keep(place, bill, one.stated)
        if one.verdict is Verdict.DIFFERS and len(differences) < MOST_EXPLAINED:
            lines = replay.lines(bill)
            differences[place] = explain(replay, one.stated, told_lines(one.stated), lines)

    checked = check(replay, stated, progress, look)
    return AuditReport(checked, differences)
