"""The comparison with Placement: the same calls on both sides, here both of them Tallystick."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmarks.placement import Bench, Line, Settings
from scripts.benchmarks.placement_cloud import same_answer
from scripts.benchmarks.placement_report import as_json
from scripts.benchmarks.placement_sides import tallystick


@pytest.mark.slow
def test_the_same_work_is_done_and_answered_alike_on_both_sides(tmp_path: Path) -> None:
    settings = Settings(sizes=(10, 20), hosts=2, rounds=1, clients=(1, 4), seconds=0.3, seed=1)
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    with tallystick(folders[0]) as one, tallystick(folders[1]) as other:
        bench = Bench(one, other, settings, lambda _: None)
        bench.run()
    assert bench.wrong == []
    found = {line.what: line for line in bench.lines}
    assert {"20 providers, no limit", "2 NUMA hosts, two devices, isolated, limit 10"} <= set(found)
    assert {"allocations put, spread, 4 clients", "allocations deleted, spread, 4 clients"} <= set(
        found
    )
    assert all(line.placement > 0 and line.tallystick > 0 for line in bench.lines)
    assert len(as_json(bench.lines, [])["lines"]) == len(bench.lines)


def test_a_ratio_says_how_many_times_better_whichever_way_that_is() -> None:
    faster = Line(what="", unit="ms", placement=100.0, tallystick=2.0)
    more = Line(what="", unit="/s", placement=100.0, tallystick=200.0, more_is_better=True)
    assert (faster.ratio, more.ratio) == (50.0, 2.0)


def test_answers_are_the_same_in_whatever_order() -> None:
    one = (
        b'{"allocation_requests":[{"a":1},{"b":2}],"provider_summaries":{"x":{"traits":["B","A"]}}}'
    )
    other = (
        b'{"provider_summaries":{"x":{"traits":["A","B"]}},"allocation_requests":[{"b":2},{"a":1}]}'
    )
    assert same_answer(one, other)
    assert not same_answer(one, other.replace(b"2", b"3"))
