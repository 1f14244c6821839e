"""`tally verify`: proof over the whole log that its two halves agree."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.failure import Failure
from scripts.cli.options import DataOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.proof_verification import ProofReport
    from infra.settings import Settings
    from infra.verification import Problem, VerificationReport

ProofsOption = Annotated[
    bool,
    typer.Option("--proofs", help="First hold the log to its signed checkpoints, event by event."),
]
KeysOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--public-key",
        metavar="FILE",
        help="With --proofs: trust only checkpoints signed with this key (PEM). Several: any.",
    ),
]
KeptOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="With --proofs: a checkpoint kept from before must hold, too. There may be several.",
    ),
]


def verify(
    *,
    proofs: ProofsOption = False,
    public_keys: KeysOption = None,
    kept: KeptOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the whole log: both halves of every claim agree, no provider was
    ever over its capacity through a claim, positions have no gaps.

    It reads the database itself, the one that the settings name, so it works
    with the service running or not. Exit code 1 if anything is wrong. The
    digest is of the resulting state: two ledgers that end alike have the
    same. With --proofs it first shows that nobody changed the log since it
    was sealed; if somebody did, it names the first position that is wrong.

    \b
    Examples:
      tally verify
      tally verify --data ./data --json
      tally verify --proofs --public-key key.pem --checkpoint kept.txt
      TALLYSTICK_DATABASE_URL=postgresql://... tally verify
    """
    from infra.verification import verify_log
    from scripts.cli import screen
    from scripts.cli.preflight import require_ledger
    from scripts.cli.progress import progress_as_told
    from scripts.cli.settings import settings_from

    if (public_keys or kept) and not proofs:
        raise typer.BadParameter("--public-key and --checkpoint go with --proofs.")
    settings = settings_from(data=data)
    require_ledger(settings)
    proven = _verify_proofs(settings, public_keys or [], kept or [], as_json) if proofs else None
    with progress_as_told("verify") as tell:
        report = verify_log(settings, progress=tell)
    if as_json:
        told = {} if proven is None else {"proofs": proven.model_dump(mode="json")}
        screen.write_json({**report.model_dump(mode="json"), **told})
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(1)


def _verify_proofs(
    settings: "Settings", public_keys: "Sequence[Path]", kept: "Sequence[Path]", as_json: bool
) -> "ProofReport":
    """Ends the command if the log is not what was sealed: then its sums mean nothing."""
    from infra.proof_verification import verify_proofs
    from infra.signing import BadKey, read_public_key
    from scripts.cli import screen
    from scripts.cli.progress import progress_as_told

    try:
        pinned = [read_public_key(file) for file in public_keys]
        notes = [file.read_text(encoding="utf-8") for file in kept]
    except (BadKey, OSError, ValueError) as wrong:
        raise Failure(str(wrong)) from None
    with progress_as_told("verify proofs") as tell:
        report = verify_proofs(settings, pinned=pinned, kept=notes, progress=tell)
    if as_json and not report.ok:
        told = report.model_dump(mode="json")
        screen.write_json({"ok": False, "problems": told["problems"], "proofs": told})
    elif not as_json:
        _show_proofs(report)
    if not report.ok:
        raise typer.Exit(1)
    return report


def _show_proofs(report: "ProofReport") -> None:
    from scripts.cli import screen

    rows = [(name, screen.number(getattr(report, name))) for name in ("sealed", "checkpoints")]
    rows += [("key" if report.pinned else "key (not pinned)", key) for key in report.keys]
    screen.table(("proofs", ""), [("events", screen.number(report.events)), *rows])
    _show_problems(report.problems)
    screen.say(
        "The log is what was sealed."
        if report.ok
        else f"The first bad position is {report.problems[0].position}."
    )


def _show(report: "VerificationReport") -> None:
    from scripts.cli import screen

    counts = ("events", "position", "requests", "claims", "providers")
    rows = [(name, screen.number(getattr(report, name))) for name in counts]
    screen.table(("verified", ""), [*rows, ("digest", report.digest)])
    _show_problems(report.problems)
    screen.say("The log is sound." if report.ok else f"Problems: {len(report.problems)}.")


def _show_problems(problems: "Sequence[Problem]") -> None:
    from scripts.cli import screen

    if problems:
        screen.table(
            ("problem", "position", "stream", "detail"),
            ((one.code, str(one.position), one.stream, one.detail) for one in problems),
            right=("position",),
        )
