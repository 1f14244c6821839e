"""`tally import`: providers and their inventories, from files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.client import Body, ServiceClient, Write

AGAIN = "What came before it is imported; the same command goes on from there."
REMEDIES = {
    "provider_exists": "Somebody registered it meanwhile. " + AGAIN,
    "stale_version": "Somebody changed it meanwhile. " + AGAIN,
}


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".json or .csv files.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and say what would change.")
    ] = False,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Import providers and inventories into the running service.

    All files are read as one, and every row is checked before the first is
    sent. Missing CUSTOM_ classes and traits are defined, parents are
    registered before their children. The same import again changes nothing; a
    changed file changes what it names and takes nothing away.

    JSON is an array of providers, as POST /v1/providers takes them; `parent`
    may name the parent. CSV has one row for each provider and class, or (with
    a column `unit`) for each unit. Several traits or
    groups are separated by `|`.

    \b
    Examples:
      tally import hosts.csv gpus.csv --dry-run
      tally import providers.json
    \b
    hosts.csv:
      provider,parent,resource_class,total,reserved,allocation_ratio,traits,groups
      host-1,,DISK_GB,2000,,,CUSTOM_SSD,rack-1|zone-a
      host-1-numa0,host-1,VCPU,32,2,4.0,HW_NUMA_ROOT|HW_CPU_X86_AVX2,
    \b
    gpus.csv:
      provider,resource_class,unit,capacity,attr.model
      host-1,PGPU,gpu0,1000,A100
    """
    from scripts.cli.client import ServiceClient
    from scripts.cli.import_plan import plan
    from scripts.cli.import_read import gather
    from scripts.cli.progress import progress

    gathered = gather(files)
    drafts = gathered.parents_first()
    _refuse(gathered.problems)
    with ServiceClient(url) as client:
        with progress("compare", len(drafts)) as advance:
            planned = plan(client, gathered, drafts, advance)
        _refuse(gathered.problems)
        if not dry_run:
            _send(client, planned.writes)
    _show({"dry_run": dry_run, **planned.report()}, as_json)


def _send(client: "ServiceClient", writes: "list[Write]") -> None:
    from scripts.cli.client import ServiceProblem
    from scripts.cli.failure import Failure
    from scripts.cli.progress import progress

    with progress("import", len(writes)) as advance:
        for write in writes:
            try:
                client.write(write)
            except ServiceProblem as problem:
                raise Failure(problem.what, REMEDIES.get(problem.code, AGAIN)) from None
            advance()


def _refuse(problems: list[str]) -> None:
    from scripts.cli.failure import Failure

    if problems:
        rows = "1 bad row" if len(problems) == 1 else f"{len(problems)} bad rows"
        raise Failure(f"{rows}; nothing was written", "\n".join(problems))


def _show(report: "Body", as_json: bool) -> None:
    from scripts.cli import screen

    if as_json:
        screen.write_json(report)
        return
    screen.say("Nothing was written; this would be:" if report["dry_run"] else "Imported:")
    for name in ("resource_classes", "traits"):
        screen.say(f"  {len(report[name])} {name.replace('_', ' ')} defined")
    for name in ("new", "changed", "unchanged"):
        screen.say(f"  {len(report[name])} providers {name}")
