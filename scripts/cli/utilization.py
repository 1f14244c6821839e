"""`tally utilization`: how full providers are, and what they have that cannot be sold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption
from scripts.cli.span import FromOption, PeriodArgument, StepOption, UntilOption

if TYPE_CHECKING:
    from scripts.cli.client import Body, ServiceClient
    from scripts.cli.utilization_read import Asked

EACH = ("tree", "provider", "total")


def utilization(
    period: PeriodArgument = None,
    *,
    start: FromOption = None,
    until: UntilOption = None,
    step: StepOption = None,
    each: Annotated[
        str,
        typer.Option("--by", metavar="tree|provider|total", help="Whose utilization to tell."),
    ] = "tree",
    flavor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What cannot be sold as this flavor.",
            show_default="in the proportions that the tree itself has",
        ),
    ] = None,
    resource_class: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Of one resource class.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts.")] = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show how much of what providers have is in use, and how much of the rest is
    stranded: free, but not to be sold, because another class there has run out.

    Without a period it is of now; with one also of the time: the average and
    the peak. All that one request gets comes from one tree of providers, so
    what is stranded is told of trees.

    \b
    Examples:
      tally utilization
      tally utilization --by total --json
      tally utilization 2026-11 --class PGPU
      tally utilization --flavor large --html utilization.html
    """
    from scripts.cli.client import ServiceClient
    from scripts.cli.span import now, span_of
    from scripts.cli.utilization_read import Asked

    if each not in EACH:
        raise typer.BadParameter(f"{each!r} is not one of {', '.join(EACH)}.", param_hint="--by")
    over_time = period is not None or start is not None
    if step is not None and not over_time:
        raise typer.BadParameter("a --step needs a PERIOD or --from.")
    when = span_of(period, start, until, step, now()) if over_time else until
    asked = Asked(when, flavor, resource_class)
    with ServiceClient(url) as client:
        if each == "total":
            _totals(client, asked, html, as_json=as_json)
        else:
            _each(client, asked, each, html, as_json=as_json)


def _totals(client: "ServiceClient", asked: "Asked", html: Path | None, *, as_json: bool) -> None:
    from scripts.cli import screen, utilization_show
    from scripts.cli.utilization_read import read_sites, read_totals

    totals = read_totals(client, asked)
    if as_json:
        screen.write_json(totals)
    else:
        utilization_show.show(totals, None)
    if html is not None:
        _write(html, totals, read_sites(client, totals, "tree", asked), asked)


def _each(
    client: "ServiceClient", asked: "Asked", each: str, html: Path | None, *, as_json: bool
) -> None:
    from scripts.cli import screen, utilization_show
    from scripts.cli.utilization_read import read_sites, read_totals

    totals = read_totals(client, asked)
    sites = read_sites(client, totals, each, asked)
    if as_json:
        screen.write_json(sites)
    else:
        utilization_show.show(totals, sites)
    if html is not None:
        _write(html, totals, sites, asked)


def _write(path: Path, totals: "Body", sites: "Body", asked: "Asked") -> None:
    from scripts.cli import screen, utilization_page, whole_file

    whole_file.write(path, utilization_page.to_html(totals, sites, asked.flavor))
    screen.note(f"{path} is written.")
