"""Made-up calls, to the installed Placement and to Tallystick."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from scripts.benchmarks.placement_sides import placement, tallystick
from tests.placement.compare import Comparison, Side
from tests.placement.suite_environment import installed

pytestmark = [pytest.mark.placement, pytest.mark.slow]


def test_made_up_calls_are_answered_as_placement_answers_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("theirs", "ours"):
        (tmp_path / name).mkdir()
    connection = f"sqlite:///{tmp_path / 'placement.sqlite'}"
    with (
        placement(tmp_path / "theirs", installed(), connection) as theirs,
        tallystick(tmp_path / "ours") as ours,
    ):
        left, right = (Side(f"http://127.0.0.1:{one.port}{one.prefix}") for one in (theirs, ours))
        comparison = Comparison(left, right, Counter(), Counter())
        for seed in range(1, 61):
            comparison.run(seed, 25)
        for side in (left, right):
            side.close()
    assert comparison.unknown == 0, capsys.readouterr().out
    assert comparison.calls.total() > 1_000
