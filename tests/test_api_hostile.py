"""Bad input, made up from the whole OpenAPI document: every answer is one that it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import ScratchDatabase, sqlite_database
from tests.open_service import served

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
FEW, MANY = 2, 40
"""How many calls are made up for each operation in each phase of the search."""


@pytest.mark.slow
def test_no_input_breaks_the_service(tmp_path: Path) -> None:
    """Most of what can go wrong does so before a database is asked, so one is enough here."""
    search(sqlite_database(tmp_path / "data"), FEW)


@pytest.mark.slow
@pytest.mark.fuzz
def test_no_input_breaks_the_service_in_a_longer_search(database: ScratchDatabase) -> None:
    search(database, MANY)


def search(database: ScratchDatabase, examples: int) -> None:
    """Valid, broken, missing and surplus values; unsupported methods; and chains of calls.

    Checked are: no 5xx, only documented statuses, media types, headers and schemas, and that what
    breaks the schema is refused.
    """
    with served(database) as url:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(CONFIGURATION), "run", f"{url}/openapi.json"),
                *("--max-examples", str(examples), "--seed", "1", "--no-color"),
            ],
            cwd=database.data_directory.parent,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
