"""Runs the gabbi files of the installed Placement against a service: a JSON line for each test.

python -m tests.placement.run_gabbi RESULTS [FILE …]

Files are named without their ending; without any name, all of them run.
"""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

from gabbi import driver
from placement.tests.functional import test_api
from placement.tests.functional.fixtures import gabbits

from tests.placement.fixtures_over_http import SERVICE, redirect
from tests.placement.results import Results

FOLDER = Path(test_api.__file__).parent / test_api.TESTS_DIR
FILES = sorted((path.stem for path in FOLDER.glob("*.yaml")), key=len, reverse=True)


def name_of(test: Any) -> tuple[str, str]:
    """The file and the test in it, which is called `<file>_<what it does>`. The name of one file
    may begin another's."""
    name = type(test).__name__
    file = next(file for file in FILES if name.startswith(f"{file}_"))
    return file, name.removeprefix(f"{file}_")


def main(results: str, names: list[str]) -> None:
    redirect(gabbits)
    suites = driver.build_tests(
        str(FOLDER),
        unittest.TestLoader(),
        host="127.0.0.1",
        port=SERVICE.port,
        test_loader_name="suite",
        fixture_module=gabbits,
    )
    try:
        for suite in suites:
            tests = list(suite)
            if tests and (not names or name_of(tests[0])[0] in names):
                suite.run(Results(results, name_of))
    finally:
        SERVICE.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
