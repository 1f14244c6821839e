"""`tally doctor`: what is wrong, and how to mend it."""

import typer

from scripts.cli import options
from scripts.cli.options import DataOption, JsonOption, UrlOption


def doctor(
    *, url: UrlOption = options.DEFAULT_URL, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Look at the machine, the settings, the database and the running
    service, and say how to mend what is wrong.

    Exit code 1 if any check fails; a warning does not count.

    \b
    Examples:
      tally doctor
      tally doctor --url http://127.0.0.1:9000 --json
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.doctor_check import Check, Verdict
    from scripts.cli.doctor_machine import check_machine
    from scripts.cli.doctor_service import check_service
    from scripts.cli.settings import settings_from

    settings = settings_from(data=data)
    checks: list[Check] = list(check_machine(settings))
    with ServiceClient(url) as client:
        checks += check_service(client, settings.engine)
    failed = any(check.verdict is Verdict.FAIL for check in checks)
    if as_json:
        screen.write_json({"ok": not failed, "checks": [check.as_json() for check in checks]})
    else:
        screen.table(
            ("check", "", "found", "how to mend it"),
            ((check.name, check.verdict, check.found, check.remedy) for check in checks),
        )
    if failed:
        raise typer.Exit(1)
