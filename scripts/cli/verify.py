"""`tally verify`: proof over the whole log that its two halves agree."""

from typing import TYPE_CHECKING

import typer

from scripts.cli.options import DataOption, JsonOption

if TYPE_CHECKING:
    from infra.verification import VerificationReport


def verify(
    *,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the whole log: both halves of every claim agree, no provider was
    ever over its capacity through a claim, positions have no gaps.

    It reads the database itself, the one that the settings name, so it works
    with the service running or not. Exit code 1 if anything is wrong. The
    digest is of the resulting state: two ledgers that end alike have the
    same.

    \b
    Examples:
      tally verify
      tally verify --data ./data --json
      TALLYSTICK_DATABASE_URL=postgresql://... tally verify
    """
    from infra.verification import verify_log
    from scripts.cli import screen
    from scripts.cli.preflight import require_ledger
    from scripts.cli.progress import progress_as_told
    from scripts.cli.settings import settings_from

    settings = settings_from(data=data)
    require_ledger(settings)
    with progress_as_told("verify") as tell:
        report = verify_log(settings, progress=tell)
    if as_json:
        screen.write_json(report.model_dump(mode="json"))
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(1)


def _show(report: "VerificationReport") -> None:
    from scripts.cli import screen

    counts = ("events", "position", "requests", "claims", "providers")
    rows = [(name, screen.number(getattr(report, name))) for name in counts]
    screen.table(("verified", ""), [*rows, ("digest", report.digest)])
    if report.problems:
        screen.table(
            ("problem", "position", "stream", "detail"),
            ((one.code, str(one.position), one.stream, one.detail) for one in report.problems),
            right=("position",),
        )
    screen.say("The log is sound." if report.ok else f"Problems: {len(report.problems)}.")
