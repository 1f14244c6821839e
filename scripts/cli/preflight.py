"""What must be well before a command opens the database: said in a sentence, not a traceback."""

from typing import TYPE_CHECKING

from scripts.cli.doctor_check import Check, Verdict
from scripts.cli.doctor_machine import check_database, check_folder, sqlite_file
from scripts.cli.failure import Failure

if TYPE_CHECKING:
    from infra.settings import Settings


def require_database(settings: "Settings") -> None:
    """The folder can be written to, and the database answers or can be made."""
    for check in (*check_folder(settings.data), check_database(settings)):
        _require(check)


def require_ledger(settings: "Settings") -> None:
    """As above, and there is something in it: a reader must not make an empty ledger elsewhere."""
    require_database(settings)
    if settings.engine == "sqlite" and not sqlite_file(settings.data).exists():
        raise Failure(
            f"there is no ledger in {settings.data.absolute()}",
            "Name its folder with --data or TALLYSTICK_DATA, or its PostgreSQL database\n"
            "with TALLYSTICK_DATABASE_URL.",
        )


def require_free_folder(settings: "Settings") -> None:
    from infra.sqlite_database import FolderInUse, own_folder

    if settings.engine != "sqlite":
        return
    try:
        with own_folder(settings.data):
            pass
    except FolderInUse:
        raise Failure(
            f"another process already serves {settings.data.absolute()}",
            "SQLite has one service process. Stop the other one, choose another folder\n"
            "with --data, or let several share a PostgreSQL database (TALLYSTICK_DATABASE_URL).",
        ) from None


def _require(check: Check) -> None:
    if check.verdict is Verdict.FAIL:
        raise Failure(f"{check.name}: {check.found}", check.remedy)
