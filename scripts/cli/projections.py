"""`tally projections`: the read models, how far they are, and building them anew."""

from typing import Annotated, Any, Literal

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The projection.")]
VersionArgument = Annotated[
    str, typer.Argument(metavar="VERSION", help="2.1, or 2 for the newest build of version 2.")
]

projections = typer.Typer(
    invoke_without_command=True,
    help="The read models: where they are, and building them anew beside those that serve.",
)


@projections.callback()
def list_projections(
    context: typer.Context, *, url: UrlOption = options.DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Show every build of each projection: its version, its position in the
    log, its lag, its state and its size. Without a command, that is all.

    \b
    Examples:
      tally projections
      tally projections --json
      tally projections rebuild capacity
    """
    if context.invoked_subcommand is not None:
        return
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.projections_show import show_builds

    with ServiceClient(url) as client:
        answer = client.get("/v1/projections")
    if as_json:
        screen.write_json(answer)
    else:
        show_builds(answer["items"])


@projections.command()
def rebuild(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Which projections.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    switch: Annotated[
        Literal["if-equal", "always", "never"],
        typer.Option(help="When it is to serve by itself: if its columns equal the old ones', …"),
    ] = "if-equal",
    detach: Annotated[bool, typer.Option("--detach", help="Begin, and do not watch.")] = False,
    url: UrlOption = options.DEFAULT_URL,
) -> None:
    """Build projections anew from the log, beside those that serve, while
    writes go on; compare, and switch.

    Ctrl-C stops watching; the build goes on.

    \b
    Examples:
      tally projections rebuild capacity
      tally projections rebuild --all
      tally projections rebuild claims --switch never
    """
    from scripts.cli.client import ServiceClient, Write
    from scripts.cli.failure import Failure

    with ServiceClient(url) as client:
        if every:
            names = sorted({one["name"] for one in client.get("/v1/projections")["items"]})
        if not names:
            raise Failure("name a projection, or say --all", "`tally projections` lists them.")
        body = {"switch": switch.replace("-", "_")}
        begun = [
            client.write(Write("POST", f"/v1/projections/{name}/builds", body)) for name in names
        ]
        _watch(client, [] if detach else [(one["name"], one["version"]) for one in begun], url)


@projections.command()
def watch(*, url: UrlOption = options.DEFAULT_URL) -> None:
    """Follow the builds that are under way, until they are done."""
    from scripts.cli.client import ServiceClient
    from scripts.cli.projections_show import under_way

    with ServiceClient(url) as client:
        items = client.get("/v1/projections")["items"]
        _watch(client, [(one["name"], one["version"]) for one in items if under_way(one)], url)


@projections.command()
def compare(
    name: NameArgument,
    version: VersionArgument,
    *,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show how a build compared with the one that served: rows, and columns that differ."""
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.projections_show import show_comparison

    with ServiceClient(url) as client:
        build = client.get(f"/v1/projections/{name}/builds/{version}")
    if as_json:
        screen.write_json(build["comparison"])
    else:
        show_comparison(build)


@projections.command()
def pause(
    name: NameArgument, version: VersionArgument, *, url: UrlOption = options.DEFAULT_URL
) -> None:
    """Stop building; `resume` goes on where it was."""
    _steer(url, name, version, "pause")


@projections.command()
def resume(
    name: NameArgument, version: VersionArgument, *, url: UrlOption = options.DEFAULT_URL
) -> None:
    """Go on with a paused build, or with a projection that stopped at an event
    it could not handle, once the cause is mended."""
    _steer(url, name, version, "resume")


@projections.command()
def switch(
    name: NameArgument, version: VersionArgument, *, url: UrlOption = options.DEFAULT_URL
) -> None:
    """Have a build catch up and serve: a new one, or (to go back) one that served before."""
    from scripts.cli.client import ServiceClient

    _steer(url, name, version, "switch")
    with ServiceClient(url) as client:
        _watch(client, [(name, version)], url)


@projections.command()
def drop(
    name: NameArgument, version: VersionArgument, *, url: UrlOption = options.DEFAULT_URL
) -> None:
    """Remove a build's tables. The one that serves cannot be dropped."""
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient, Write

    with ServiceClient(url) as client:
        client.write(Write("DELETE", f"/v1/projections/{name}/builds/{version}"))
    screen.say(f"{name} {version} is dropped.")


def _steer(url: str, name: str, version: str, action: str) -> dict[str, Any]:
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient, Write

    with ServiceClient(url) as client:
        told = client.write(Write("POST", f"/v1/projections/{name}/builds/{version}/{action}"))
    screen.say(f"{told['name']} {told['version']}: {told['state']}")
    return told


def _watch(client: Any, wanted: list[tuple[str, str]], url: str) -> None:
    """Until each is done; exit code 1 if one stopped at an event."""
    from scripts.cli import screen
    from scripts.cli.projections_show import follow, show_comparison

    try:
        done = follow(client, wanted)
    except KeyboardInterrupt:
        at = "" if url == options.DEFAULT_URL else f" --url {url}"
        screen.note(f"\nThe build goes on: `tally projections watch{at}`, `… pause NAME VERSION`.")
        return
    for build in done:
        show_comparison(build)
    if any(build["error"] for build in done):
        raise typer.Exit(1)
