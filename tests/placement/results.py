"""What became of a suite's tests: a JSON line for each, written as soon as it is over."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Results(unittest.TestResult):
    """The suites' fixtures have the standard output, so this is a file."""

    def __init__(self, path: str, name_of: Callable[[Any], tuple[str, str]]) -> None:
        super().__init__()
        self._path = path
        self._name_of = name_of

    def _tell(self, test: Any, *, ok: bool, message: str = "") -> None:
        file, name = self._name_of(test)
        told = {"file": file, "test": name, "ok": ok, "message": message[-3_000:]}
        with Path(self._path).open("a", encoding="utf-8") as results:
            results.write(json.dumps(told) + "\n")

    def addSuccess(self, test: Any) -> None:  # noqa: N802 - unittest's own names.
        super().addSuccess(test)
        self._tell(test, ok=True)

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addFailure(test, err)
        self._tell(test, ok=False, message=self.failures[-1][1])

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addError(test, err)
        self._tell(test, ok=False, message=self.errors[-1][1])
