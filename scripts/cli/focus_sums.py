"""What an export adds up to, to hold against the statements."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from scripts.cli import screen
from scripts.cli.focus_columns import FOCUS_VERSION
from scripts.cli.focus_rows import Row

MOST_PROJECTS = 40


@dataclass
class Sums:
    rows: int = 0
    corrections: int = 0
    states: Counter[str] = field(default_factory=Counter)
    """Rows by the state of their statement."""
    billed: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By project and currency."""

    def add(self, row: Row) -> None:
        self.rows += 1
        self.corrections += row["ChargeClass"] is not None
        self.states[str(row["x_StatementState"])] += 1
        key = str(row["BillingAccountId"]), str(row["BillingCurrency"])
        self.billed[key] += Decimal(row["BilledCost"] or 0)

    def told(self) -> dict[str, Any]:
        return {
            "focus_version": FOCUS_VERSION,
            "rows": self.rows,
            "corrections": self.corrections,
            "rows_by_state": dict(self.states),
            "billed": [
                {"project_id": project, "currency": currency, "billed_cost": str(amount)}
                for (project, currency), amount in sorted(self.billed.items())
            ],
        }


def show(sums: Sums) -> None:
    if not sums.rows:
        screen.say("Nothing was charged in this period: the files have no rows.")
        return
    screen.table(
        ("project", "billed cost", "currency"),
        (
            (project, f"{amount:,}", currency)
            for (project, currency), amount in sorted(sums.billed.items())[:MOST_PROJECTS]
        ),
        right=("billed cost",),
    )
    if len(sums.billed) > MOST_PROJECTS:
        screen.say(f"The other {len(sums.billed) - MOST_PROJECTS:,} projects: --json.")
    screen.say(f"{sums.rows:,} rows in FOCUS {FOCUS_VERSION}.")
    if sums.states["open"]:
        screen.note("The period is not over: what is told goes up to now.")
    elif sums.states["complete"]:
        screen.note("Not all statements are closed: others may still become other ones.")
