"""scripts/bill-trace: from a trace to charges that all who check them agree on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_processes import ROOT
from tests.small_trace import write_small_trace


@pytest.mark.slow
def test_a_trace_is_billed_by_two_books_and_everyone_agrees(tmp_path: Path) -> None:
    trace, folder = write_small_trace(tmp_path / "trace"), tmp_path / "bills"
    command = (sys.executable, "-m", "scripts.trace_bills", str(trace), "--folder", str(folder))
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("bills agree to the last digit") == 2
    assert result.stdout.count("structural+semantic lint OK") == 2
    assert {file.name for file in folder.iterdir()} == {
        *("data", "this-year.json", "next-year.json", "comparison.html"),
        *("charged.beancount", "focus.csv", "focus.parquet"),
    }
