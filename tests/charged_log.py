"""A small log of claims and charges for them, and what an audit of it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from eventsourcing.persistence import StoredEvent

from domain.billing import publish_prices
from domain.charge import Charge, charge_for
from domain.component import AmountsComponent, Consumer
from domain.ledger import release_claim, submit_request
from domain.period import period_of
from domain.price_book import Prices
from domain.rating import Bill
from domain.wish import Wish
from infra.audit.kept_lines import KeptLines
from infra.audit.log_source import ArchiveSource, DatabaseSource, LogSource
from infra.audit.replay import Line, open_replay
from infra.audit.report import AuditReport, audit
from infra.audit.stated import Stated, recorded_charges
from tests.audited import rated
from tests.open_ledger import OpenLedger
from tests.projected_log import engine_of, project
from tests.rated import book, price

BOOK = "standard"
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 1, tzinfo=UTC)
PRICES = book(price(at="0.10"), price("MEMORY_MB", "2.19", per="month", amount=1024))


class ChargedLog:
    """Claims of `acme` and `zoo` in January, at prices that are published."""

    def __init__(self, ledger: OpenLedger, prices: Prices = PRICES) -> None:
        self.ledger = ledger
        self.host = ledger.host("host", VCPU=64, MEMORY_MB=65_536, at=JANUARY)
        self.publish(prices)
        self.claim("acme", "web", 2, MEMORY_MB=1_000)
        self.claim("acme", "db", 4)
        self.claim("zoo", "web-of-zoo", 1)
        self.release("web", after_hours=8)
        self._versions: dict[str, int] = {}

    def publish(self, prices: Prices) -> None:
        self.prices = prices
        self.ledger.run(publish_prices, BOOK, prices, at=JANUARY)

    def claim(
        self, project_id: str, consumer: str, cpus: int, after_hours: int = 1, **more: int
    ) -> None:
        self.ledger.run(
            submit_request,
            at=JANUARY + timedelta(hours=after_hours),
            request_id=f"request-of-{consumer}",
            consumer=Consumer(id=consumer),
            project_id=project_id,
            user_id="ada",
            wish=Wish(components=(AmountsComponent(resources={"VCPU": cpus, **more}),)),
            hold_until=None,
        )

    def release(self, consumer: str, after_hours: int) -> None:
        self.ledger.run(release_claim, consumer, at=JANUARY + timedelta(hours=after_hours))

    def charge(
        self, project_id: str, period: str = "2026-01", credit: str | None = None, **other: Any
    ) -> dict[str, Any]:
        """Write down what the project has to pay, or (`other`) something else."""
        position = other.get("position", self.ledger.log.head())
        charge = other
        if not set(other) >= set(Charge.model_fields):
            right = charge_for(self.bill(project_id, period, position), 1, position)
            charge = right.model_dump(mode="json") | other
        state: dict[str, Any] = {
            "at": LATER.isoformat().replace("+00:00", "Z"),
            "project_id": project_id,
            "price_book": BOOK,
            "period": period,
            "charge": charge,
        }
        if credit is not None:
            state |= {"number": 2, "credit": credit, "reason": "It was released earlier."}
        self._append(
            f"statement:{BOOK}/{project_id}",
            "statement.closed" if credit is None else "statement.corrected",
            state,
        )
        return charge

    def _append(self, stream: str, topic: str, state: dict[str, Any]) -> None:
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        stored = StoredEvent(stream, version, topic, json.dumps(state).encode())
        self.ledger.database.events.insert_events([stored])

    def bill(self, project_id: str, period: str, position: int) -> Bill:
        """As rating makes it, from read models of the log up to a position."""
        engine = engine_of(self.ledger.database)
        project(engine, [list(map(self.ledger.log.decode, self.ledger.log.rows(0, position)))])
        return rated(engine, project_id, self.prices, period_of(period), position)


def told_nothing(_: Stated) -> Sequence[Line] | None:
    return None


def audited(
    source: OpenLedger | Path, period: str = "2026-01", told_lines: Any = told_nothing
) -> AuditReport:
    """What an audit of a ledger, or of an archive's folder, says of what was charged."""
    log: LogSource = (
        ArchiveSource.of(source) if isinstance(source, Path) else DatabaseSource(source.log)
    )
    with open_replay() as replay:
        replay.load(log, lambda done, of: None)
        stated = recorded_charges(replay, period_of(period))
        return audit(replay, stated, told_lines, lambda done, of: None, KeptLines(replay))
