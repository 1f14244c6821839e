"""Runs the functional tests of osc-placement, the commands of `openstack`, against a service.

python -m tests.placement.run_osc RESULTS [MODULE …]
"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

import fixtures
from osc_placement.tests import functional
from osc_placement.tests.functional import base

from tests.placement.fresh_service import Service
from tests.placement.results import Results

READY: list[Service] = []
"""The service of the next test: it starts while this one's is in use."""


class LiveService(fixtures.Fixture):  # type: ignore[misc]
    """In the place of their in-memory Placement: empty at first, as they expect it."""

    token = "admin"

    def _setUp(self) -> None:  # noqa: N802 - the library's name.
        service = READY.pop()
        self.addCleanup(service.stop)
        make_ready()
        service.wait()
        self.endpoint = f"http://127.0.0.1:{service.port}"


def make_ready() -> None:
    service = Service()
    service.start()
    READY.append(service)


def name_of(test: Any) -> tuple[str, str]:
    *_, module, case, name = test.id().split(".")
    return module, f"{case}.{name}"


def main(results: str, names: list[str]) -> None:
    base.placement.PlacementFixture = LiveService
    suite = unittest.defaultTestLoader.discover(
        str(Path(functional.__file__).parent),
        top_level_dir=str(Path(functional.__file__).parents[3]),
    )
    result = Results(results, name_of)
    make_ready()
    try:
        for test in _tests(suite):
            if not names or name_of(test)[0] in names:
                test.run(result)
    finally:
        READY.pop().stop()


def _tests(suite: Any) -> list[Any]:
    if not isinstance(suite, unittest.TestSuite):
        return [suite]
    return [test for part in suite for test in _tests(part)]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
