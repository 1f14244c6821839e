"""`tally import placement` and `tally export placement`: moving in, and moving out."""

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.placement_client import PlacementClient

REFUSED_SHOWN = 20

Address = Annotated[str, typer.Argument(metavar="URL", help="The Placement's address.")]
Token = Annotated[
    str,
    typer.Option(
        envvar="OS_TOKEN", help="For the Placement: a Keystone token, or USER for noauth2."
    ),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Copy nothing: compare both, field by field.")
]
Prune = Annotated[
    bool,
    typer.Option("--prune", help="Also take from consumers what they do not hold at the source."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be written.")]


def import_placement(
    placement: Address,
    *,
    verify: Verify = False,
    prune: Prune = False,
    dry_run: DryRun = False,
    token: Token = "admin",  # noqa: S107 - what noauth2 takes.
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Copy all that a running Placement has into the running service: classes,
    traits, providers, inventories, aggregates, allocations.

    Run it again after it broke off, or when the Placement has changed since:
    it writes what differs. What is written there meanwhile is found by
    --verify, which fails if there is any difference.

    \b
    Examples:
      tally import placement http://controller:8778
      tally import placement http://controller:8778 --prune --token $OS_TOKEN
      tally import placement http://controller:8778 --verify
    """
    from scripts.cli.placement_client import PlacementClient

    with (
        PlacementClient(placement, token) as source,
        PlacementClient(_face_of(url), "admin") as target,
    ):
        _move(source, target, verify=verify, prune=prune, dry_run=dry_run, as_json=as_json)


def export_placement(
    placement: Address,
    *,
    verify: Verify = False,
    prune: Prune = False,
    dry_run: DryRun = False,
    token: Token = "admin",  # noqa: S107 - as above.
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Copy what the running service has into a Placement. What Placement cannot
    hold is told: named units become amounts, holds become allocations, and
    groups whose names are no UUIDs are left out.

    \b
    Examples:
      tally export placement http://controller:8778
      tally export placement http://controller:8778 --verify
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.placement_client import PlacementClient
    from scripts.cli.placement_lost import lost

    with (
        PlacementClient(_face_of(url), "admin") as source,
        PlacementClient(placement, token) as target,
    ):
        if not verify:
            with ServiceClient(url) as service:
                for line in lost(service):
                    screen.note(line)
        _move(source, target, verify=verify, prune=prune, dry_run=dry_run, as_json=as_json)


def _face_of(url: str) -> str:
    from api.app import PLACEMENT

    return f"{url.rstrip('/')}{PLACEMENT}"


def _move(
    source: "PlacementClient",
    target: "PlacementClient",
    *,
    verify: bool,
    prune: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    from scripts.cli import screen
    from scripts.cli.failure import Failure
    from scripts.cli.placement_copy import Copy

    if verify:
        _verify(source, target, as_json=as_json)
        return
    copy = Copy(source, target, prune=prune, dry_run=dry_run)
    copy.run()
    counts, refused = copy.writes.counts, copy.writes.refused
    if as_json:
        screen.write_json({"dry_run": dry_run, "written": dict(counts), "refused": refused})
    else:
        screen.say("Nothing was written; this would be:" if dry_run else "Copied:")
        for what, count in sorted(counts.items()):
            screen.say(f"  {count:,} {what}")
        if not counts:
            screen.say("  nothing: both have the same, as far as the source goes")
        for line in refused[:REFUSED_SHOWN]:
            screen.note(line)
    if refused:
        raise Failure(
            f"{len(refused):,} things could not be copied; the rest was.",
            "Mend them where they come from, and start the copy again.",
        )


def _verify(source: "PlacementClient", target: "PlacementClient", *, as_json: bool) -> None:
    from scripts.cli import screen
    from scripts.cli.placement_verify import differences

    found = 0
    listed = []
    for one in differences(source, target):
        found += 1
        if as_json:
            listed.append(one)
        else:
            values = f"{one['source']!r} at the source, {one['target']!r} at the target"
            screen.say(f"{one['of']}: {one['field']}: {values}")
    if as_json:
        screen.write_json({"equal": not found, "differences": listed})
    else:
        screen.say(f"{found} differences." if found else "Both are the same.")
    if found:
        raise typer.Exit(1)
