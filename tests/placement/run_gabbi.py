"""Runs the gabbi files of the installed Placement against a service: one JSON line a test.

    run_gabbi.py [FILE …]    names of files without their ending; all of them without any
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from gabbi import driver
from placement.tests.functional import test_api
from placement.tests.functional.fixtures import gabbits
from service_for_suite import PORT, Service, redirect


class Lines(unittest.TestResult):
    """Tells each test as soon as it is over."""

    def _tell(self, test: Any, *, ok: bool, message: str = "") -> None:
        # `driver_resource-provider_list_providers`: the file, and the test in it.
        name = test.id().rpartition(".")[0].rpartition(".")[2]
        print(json.dumps({"test": name, "ok": ok, "message": message[-2_000:]}), flush=True)

    def addSuccess(self, test: Any) -> None:
        super().addSuccess(test)
        self._tell(test, ok=True)

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._tell(test, ok=False, message=self.failures[-1][1])

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._tell(test, ok=False, message=self.errors[-1][1])


def main(names: list[str]) -> None:
    service = Service()
    redirect(gabbits, service)
    folder = str(Path(test_api.__file__).parent / test_api.TESTS_DIR)
    suites = driver.build_tests(
        folder,
        unittest.TestLoader(),
        host="127.0.0.1",
        port=PORT,
        test_loader_name="suite",
        fixture_module=gabbits,
    )
    result = Lines()
    try:
        for suite in suites:
            tests = list(suite)
            if tests and (not names or _file(tests[0]) in names):
                print(json.dumps({"file": _file(tests[0]), "tests": len(tests)}), flush=True)
                suite.run(result)
    finally:
        service.stop()


def _file(test: Any) -> str:
    return Path(test.test_data.get("filename", "") or _named(test)).stem


def _named(test: Any) -> str:
    return str(type(test).__name__)


if __name__ == "__main__":
    os.environ.setdefault("GABBI_LIVE", "1")
    main(sys.argv[1:])
