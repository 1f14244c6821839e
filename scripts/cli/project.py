"""`tally project`: the projector alone, for a service that runs with --no-projector."""

from typing import TYPE_CHECKING

from scripts.cli.options import DataOption

if TYPE_CHECKING:
    from api.house import ProjectionHealth


def project(*, data: DataOption = None) -> None:
    """Run the projector alone until it is stopped, and say its lag.

    For a service (or several) that runs with `tally serve --no-projector` on
    the same database.

    \b
    Examples:
      tally project --data ./production
      TALLYSTICK_DATABASE_URL=postgresql://user@host/tallystick tally project
    """
    from infra.composition import run_projector
    from scripts.cli import screen
    from scripts.cli.preflight import require_database
    from scripts.cli.settings import database_shown, settings_from

    settings = settings_from(data=data)
    require_database(settings)
    screen.say(f"Projecting {database_shown(settings)}; stop it with Ctrl-C.")
    said = ""

    def report(statuses: "list[ProjectionHealth]") -> None:
        """A line when something changed: a quiet night leaves none."""
        nonlocal said
        line = _lag(statuses)
        if line != said:
            screen.say(line)
        said = line

    try:
        run_projector(settings, report)
    except KeyboardInterrupt:
        screen.note("The projector has stopped.")


def _lag(projections: "list[ProjectionHealth]") -> str:
    """One line for all, so that a log of it can be searched."""
    return "; ".join(
        f"{one.name} {one.position:,}"
        + (f" ({one.lag_events:,} behind, {one.lag_seconds:.1f} s)" if one.lag_events else "")
        + (f" STOPPED: {one.error}" if one.error else "")
        for one in projections
    )
