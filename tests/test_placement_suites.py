"""Placement's own suites, and those of its command line, against a live service.

TALLYSTICK_SUITE_AGAINST=placement runs them against the installed Placement instead, to hold what
runs them to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.placement.suite_environment import Result, by_file, installed, run

pytestmark = [pytest.mark.placement, pytest.mark.slow]

AGAINST = os.environ.get("TALLYSTICK_SUITE_AGAINST", "tallystick")
DIFFERENT = {
    ("basic-http", "bad_content_length_not_int"): "its own client refuses to send such a header",
}
"""Tests of the suites that are expected to fail, each with its reason."""


def unexpected(results: list[Result]) -> list[str]:
    """Tests that failed and should not have, and those that pass though they are listed above."""
    return [
        f"{result.test}: {'passes, but is listed' if result.ok else result.words}"
        for result in results
        if result.ok == ((result.file, result.test) in DIFFERENT)
    ]


@pytest.fixture
def tell(pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says a line to whoever runs the tests, also where all is well."""

    def line(words: str) -> None:
        with capsys.disabled():
            pytestconfig.get_terminal_writer().line(f"\n{words}")

    return line


@pytest.mark.parametrize(
    ("module", "count"),
    [
        pytest.param("run_gabbi", 1_316, id="placement"),
        pytest.param("run_osc", 160, id="openstack-command"),
    ],
)
def test_every_test_of_the_suite_passes_but_for_those_listed(
    module: str,
    count: int,
    tmp_path: Path,
    subtests: pytest.Subtests,
    tell: Callable[[str], None],
) -> None:
    results = run(installed(), module, tmp_path / f"{module}.jsonl", against=AGAINST)
    tell(f"{module}, {AGAINST}: {sum(one.ok for one in results)} of {len(results)} pass")
    for file, of_file in by_file(results):
        with subtests.test(file):
            if wrong := unexpected(of_file):
                pytest.fail("\n".join([file, *wrong]), pytrace=False)
    assert len(results) == count
