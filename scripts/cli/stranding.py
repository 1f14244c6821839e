"""`tally stranding`: what is free of the scarcest class, and nobody could use of late."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption
from scripts.cli.span import FromOption, PeriodArgument, StepOption, UntilOption

if TYPE_CHECKING:
    from scripts.cli.client import Body, ServiceClient

MOST_ROWS = 40


def stranding(
    period: PeriodArgument = None,
    *,
    start: FromOption = None,
    until: UntilOption = None,
    step: StepOption = None,
    by: Annotated[
        str, typer.Option(metavar="tree|total", help="Of each tree of providers, or of all.")
    ] = "tree",
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what is stranded by the demand of late: what is free of the scarcest
    class, beyond what the newest requests could use of it where it is.

    Without a period it is of now; with one also of the time before.

    \b
    Examples:
      tally stranding
      tally stranding 2026-11 --by total
      tally stranding --from 2026-11-20 --step hour --json
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient, ServiceProblem
    from scripts.cli.span import failure_of, now, span_of

    if by not in ("tree", "total"):
        raise typer.BadParameter(f"{by!r} is not one of tree, total.", param_hint="--by")
    if step is not None and period is None and start is None:
        raise typer.BadParameter("a --step needs a PERIOD or --from.")
    parameters: dict[str, Any] = {"until": until}
    if period is not None or start is not None:
        parameters = span_of(period, start, until, step, now()).parameters()
    with ServiceClient(url) as client:
        try:
            found = _totals(client, parameters) if by == "total" else _trees(client, parameters)
        except ServiceProblem as problem:
            raise failure_of(problem) from None
    if as_json:
        screen.write_json(found)
    elif by == "total":
        _show_totals(found)
    else:
        _show_trees(found)


def _totals(client: "ServiceClient", parameters: dict[str, Any]) -> "Body":
    found: Body = client.get("/v1/stranding/totals", **parameters)
    return found


def _trees(client: "ServiceClient", parameters: dict[str, Any]) -> "Body":
    """All pages as one; the first says what now is, and the others keep to it."""
    found: Body = client.get("/v1/stranding", **parameters, limit=1000)
    cursor = found.pop("next")
    while cursor is not None:
        parameters["until"] = found["moments"][-1]
        page = client.get("/v1/stranding", **parameters, limit=1000, cursor=cursor)
        found["items"] += page["items"]
        cursor = page["next"]
    return found


def _show_totals(found: "Body") -> None:
    from scripts.cli import screen

    screen.table(
        ("at", "class", "free", "stranded", ""),
        (
            (
                screen.second(at),
                name or "",
                screen.number(free),
                screen.number(stranded),
                screen.bar(stranded, free) if free else "",
            )
            for at, name, free, stranded in zip(
                *(found[key] for key in ("moments", "resource_classes", "free", "stranded")),
                strict=True,
            )
        ),
        right=("free", "stranded"),
    )


def _show_trees(found: "Body") -> None:
    from scripts.cli import screen

    if found["resource_class"] is None:
        screen.say("Nothing that there is was asked for of late.")
        return
    screen.say(f"at     {screen.second(found['moments'][-1])} UTC")
    screen.say(f"class  {found['resource_class']}, the scarcest")
    worst = sorted(found["items"], key=lambda one: (-one["stranded"], one["provider_name"]))
    screen.table(
        ("tree", "free", "stranded", "", "over time"),
        (
            (
                one["provider_name"],
                screen.number(one["free"]),
                screen.number(one["stranded"]),
                screen.bar(one["stranded"], one["free"]),
                screen.sparkline([float(some) for some in one["course"] or ()]),
            )
            for one in worst[:MOST_ROWS]
        ),
        right=("free", "stranded"),
    )
    if len(worst) > MOST_ROWS:
        screen.say(f"{len(worst) - MOST_ROWS:,} more trees have less; --json tells all.")
    total = sum(one["stranded"] for one in worst)
    screen.say(f"Together {screen.number(total)} are stranded.")
