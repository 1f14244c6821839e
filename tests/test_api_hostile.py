"""Bad input, made up from the whole OpenAPI document: every answer is one that it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import ScratchDatabase
from tests.open_service import served

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 15
"""How many calls are made up for each operation in each phase of the search."""


@pytest.mark.slow
def test_no_input_breaks_the_service(database: ScratchDatabase, tmp_path: Path) -> None:
    """Valid, broken, missing and surplus values; unsupported methods; and chains of calls.

    Checked are: no 5xx, only documented statuses, media types, headers and schemas, and that what
    breaks the schema is refused.
    """
    with served(database) as url:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(CONFIGURATION), "run", f"{url}/openapi.json"),
                *("--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
