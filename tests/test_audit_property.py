"""The audit and rating, which share no code, say the same of any history, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.charge import digest_of
from domain.period import Period
from infra.audit.replay import Asked, Publication
from tests.audited import lines_of, loaded, rated
from tests.billed_history import BEGINS, BOOK, BilledHistory, random_book
from tests.projected_log import PROJECTS, engine_of, project

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
PERIODS = (
    (BEGINS, FEBRUARY),
    (datetime(2026, 1, 17, 5, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)),
)
STEPS = 100


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.3, 1.0]))
def test_a_bill_is_the_same_by_the_log_alone(seed: int, share: float) -> None:
    """Also as of a position in the middle of the log, after which nothing counts."""
    with TemporaryDirectory() as folder:
        history = BilledHistory(Path(folder), seed)
        log = history.tell(STEPS)
        prices = random_book(Random(seed))
        number = history.publish(prices)
        until = round(len(log) * share)
        engine = engine_of(history.ledger.database)
        project(engine, [log])
        with loaded(history.ledger.log) as replay:
            asked = [Asked(one, until) for one in PROJECTS]
            for start, end in PERIODS:
                bills = replay.recompute(Publication(BOOK, number), start, end, asked)
                for bill, found in next(bills).items():
                    expected = rated(engine, PROJECTS[bill], prices, Period(start, end), until)
                    assert replay.lines(bill) == lines_of(expected)
                    assert Decimal(found.total) == expected.total
                    assert found.digest == digest_of(expected)
        history.ledger.close()
