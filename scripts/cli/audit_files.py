"""An audit as files: all lines for whoever computes with them, and a ledger for Beancount."""

from pathlib import Path

import duckdb

from infra.audit.beancount_ledger import ledger_of
from infra.audit.kept_lines import KeptLines
from infra.audit.report import AuditReport
from scripts.cli import screen
from scripts.cli.failure import Failure


def write(report: AuditReport, kept: KeptLines, lines: Path | None, beancount: Path | None) -> None:
    """Each is written whole or not at all. Raises Failure."""
    if lines is not None:
        try:
            kept.write_parquet(lines)
        except (duckdb.IOException, OSError) as wrong:
            raise Failure(f"{lines} cannot be written: {wrong}") from None
        screen.note(f"{lines} is written.")
    if beancount is not None:
        _write_ledger(report, kept, beancount)
        screen.note(f"{beancount} is written.")


def _write_ledger(report: AuditReport, kept: KeptLines, path: Path) -> None:
    unfinished = Path(f"{path}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            file.writelines(ledger_of(report.checked, kept))
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise Failure(f"{path} cannot be written: {error.strerror}") from None
