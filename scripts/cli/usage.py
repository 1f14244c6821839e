"""`tally usage`: what was used, or what it costs, over time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, NumberOption, UrlOption
from scripts.cli.span import FromOption, PeriodArgument, StepOption, UntilOption

if TYPE_CHECKING:
    from scripts.cli.client import ServiceClient
    from scripts.cli.span import Span
    from scripts.cli.usage_read import Book, OverTime

BY = ("class", "flavor", "project", "price")


def usage(
    period: PeriodArgument = None,
    *,
    start: FromOption = None,
    until: UntilOption = None,
    step: StepOption = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="class|flavor|project|price", help="What to tell apart; price: with --prices."
        ),
    ] = "class",
    project: Annotated[
        str | None, typer.Option(metavar="PROJECT", help="Of one project only.")
    ] = None,
    prices: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Tell costs by this price book.")
    ] = None,
    number: NumberOption = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a page with charts, with --prices of costs, too."),
    ] = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what was used over time, as amounts × hours, or with --prices what it
    costs. Without a period it is this month, up to now.

    Costs are those of the bills, to the cent: each step adds up to the bill
    for that step.

    \b
    Examples:
      tally usage
      tally usage 2026-11 --by project
      tally usage 2026 --by project --prices standard
      tally usage --from 2026-11-01 --prices standard --html usage.html
    """
    from scripts.cli import screen, usage_show
    from scripts.cli.client import ServiceClient
    from scripts.cli.span import now, span_of
    from scripts.cli.usage_read import Book

    _check(by, prices, number)
    span = span_of(period, start, until, step, now())
    book = None if prices is None else Book(prices, number)
    with ServiceClient(url) as client:
        found = _read(client, span, by, project, book)
        if as_json:
            screen.write_json(found.answer)
        elif prices is None:
            usage_show.show_use(found, by)
        else:
            usage_show.show_costs(found, by)
        if html is not None:
            _write(client, html, span, found, project)


def _check(by: str, prices: str | None, number: int | None) -> None:
    if by not in BY:
        raise typer.BadParameter(f"{by!r} is not one of {', '.join(BY)}.", param_hint="--by")
    if prices is None and (by == "price" or number is not None):
        raise typer.BadParameter("name a price book with --prices.")
    if prices is not None and by == "flavor":
        raise typer.BadParameter("with --prices, --by class tells flavors that have a price, too.")


def _read(
    client: "ServiceClient", span: "Span", by: str, project: str | None, book: "Book | None"
) -> "OverTime":
    from scripts.cli.usage_read import read_costs, read_use

    if book is None:
        return read_use(client, span, "flavor" if by == "flavor" else "resource_class", project)
    return read_costs(client, span, "price" if by == "price" else "resource", project, book)


def _write(
    client: "ServiceClient", path: Path, span: "Span", found: "OverTime", project: str | None
) -> None:
    """The page tells everything of the time that was read for the screen."""
    from scripts.cli import screen, usage_page, whole_file
    from scripts.cli.usage_read import Book, pinned, read_costs, read_use

    span = pinned(span, found)
    costs: OverTime | None = None
    if "price_book" in found.answer:
        book = Book(found.answer["price_book"], found.answer["price_book_number"])
        costs = read_costs(client, span, "resource", project, book)
    use = read_use(client, span, "resource_class", project)
    flavors = read_use(client, span, "flavor", project)
    whole_file.write(path, usage_page.to_html(use, flavors, costs, project))
    screen.note(f"{path} is written.")
