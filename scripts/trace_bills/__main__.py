"""scripts/bill-trace TRACE: every step is a command that a person could type, and shown as one."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from scripts.trace_bills.prices import next_year, this_year

ROOT = Path(__file__).resolve().parents[2]
PERIOD = "2023"
"""A replayed trace begins with this year, and none is longer."""
TALLY = (sys.executable, "-m", "scripts.cli")
CLASSES = ("--category", "CUSTOM_CPU_MILLI=Compute")


class Steps:
    """Runs commands one after the other, and stops at the first that fails."""

    def __init__(self, url: str) -> None:
        self._url = url

    def tally(self, *arguments: str) -> None:
        sys.stdout.write(f"\n$ tally {' '.join(arguments)}\n")
        self._run(*TALLY, *arguments, "--url", self._url)

    def check(self, module: str, *arguments: str) -> None:
        sys.stdout.write(f"\n$ python -m {module} {' '.join(arguments)}\n")
        self._run(sys.executable, "-m", module, *arguments)

    def _run(self, *command: str) -> None:
        sys.stdout.flush()
        begun = time.monotonic()
        result = subprocess.run(command, cwd=ROOT, check=False)
        sys.stdout.write(f"  {time.monotonic() - begun:.1f} s\n")
        if result.returncode != 0:
            sys.stdout.write("This step failed; the others were not run.\n")
            raise typer.Exit(1)


def bill_trace(
    trace: Annotated[
        Path,
        typer.Argument(metavar="TRACE", exists=True, file_okay=False, help="In openb's layout."),
    ],
    *,
    folder: Annotated[
        Path | None,
        typer.Option(help="Keep the ledger and all files here.", show_default="a new folder"),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many pods.")] = None,
) -> None:
    """Replay a trace, charge its whole span by two price books, and have all of it checked.

    Charges both, audits them from the log alone, has Beancount check them once more, compares the
    books project by project, and exports FOCUS files that a checker accepts. Fails if anything
    differs.

    \b
    Examples:
      scripts/bill-trace traces/openb
      scripts/bill-trace traces/openb --folder bills --limit 500
    """
    kept = (folder or Path(tempfile.mkdtemp(prefix="tallystick-bills-"))).resolve()
    kept.mkdir(parents=True, exist_ok=True)
    with _serving(kept / "data") as url:
        steps = Steps(url)
        few = () if limit is None else ("--limit", str(limit))
        steps.tally("replay", str(trace.resolve()), *few)
        for book, prices in (("this-year", this_year()), ("next-year", next_year())):
            file = kept / f"{book}.json"
            file.write_text(json.dumps(prices, indent=2) + "\n")
            steps.tally("prices", "publish", book, str(file))
            steps.tally("statements", "close", PERIOD, "--prices", book)
        _check(steps, kept)
    sys.stdout.write(f"\nAll agrees. The ledger, the charges and the pages are in {kept}.\n")


def _check(steps: Steps, kept: Path) -> None:
    comparison, ledger = str(kept / "comparison.html"), str(kept / "charged.beancount")
    books = ("--prices", "this-year", "--with", "next-year")
    steps.tally("statements", "compare", PERIOD, *books, "--html", comparison)
    data = ("--data", str(kept / "data"))
    steps.tally("audit", PERIOD, *data, "--prices", "this-year")
    steps.tally("audit", PERIOD, *data, "--prices", "next-year", "--beancount", ledger)
    steps.check("beancount.scripts.check", ledger)
    files = {kind: str(kept / f"focus.{kind}") for kind in ("csv", "parquet")}
    written = (part for kind, file in files.items() for part in (f"--{kind}", file))
    steps.tally("focus", PERIOD, "--prices", "this-year", *written, *CLASSES)
    for file in files.values():
        steps.check("focus_data_toolkit", "validate", "--dataset", "cost-and-usage", file)


@contextmanager
def _serving(data: Path) -> Iterator[str]:
    """A service on a free port of this machine, until all is done."""
    command = (*TALLY, "serve", "--empty", "--port", "0", "--data", str(data))
    service = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout is not None
        for line in service.stdout:
            if "http://" in line:
                yield line.split()[-1]
                return
        raise typer.Exit(1)
    finally:
        service.terminate()
        service.wait()


if __name__ == "__main__":
    typer.run(bill_trace)
