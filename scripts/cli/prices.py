"""`tally prices`: the price books that bills are made with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, NumberOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.client import Body, ServiceProblem

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The price book's name.")]
FORM = "`tally prices example` prints a book that can be published as it is."

prices = typer.Typer(
    no_args_is_help=True,
    help="Price books, which bills are made with: list, show, publish, example.",
)


@prices.command("list")
def list_books(*, url: UrlOption = options.DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show the newest publication of each price book.

    \b
    Examples:
      tally prices list
      tally prices list --json
    """
    from scripts.cli import prices_show, screen
    from scripts.cli.client import ServiceClient

    with ServiceClient(url) as client:
        books = list(client.pages("/v1/price-books"))
    if as_json:
        screen.write_json({"items": books})
    elif books:
        prices_show.show_books(books)
    else:
        screen.say("There are no price books. `tally prices publish` makes one.")


@prices.command()
def show(
    *,
    name: NameArgument,
    number: NumberOption = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what a price book says, or said in an older publication.

    \b
    Examples:
      tally prices show standard
      tally prices show standard --number 1 --json
    """
    from scripts.cli import prices_show, screen
    from scripts.cli.client import ServiceClient

    with ServiceClient(url) as client:
        book = client.get(f"/v1/price-books/{_quoted(name)}", number=number)
    if as_json:
        screen.write_json(book)
    else:
        prices_show.show_prices(book)


@prices.command()
def publish(
    *,
    name: NameArgument,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The book in JSON; - reads standard input."),
    ],
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Publish a price book: all that it says from now on.

    It gets the next number; earlier publications are kept, and bills can still
    be made with them. What the book says already is not published again.

    \b
    Examples:
      tally prices publish standard prices.json
      tally prices example | tally prices publish standard -
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient, ServiceProblem, Write
    from scripts.cli.failure import Failure

    book = _read(file)
    with ServiceClient(url) as client:
        try:
            told = client.write(Write("PUT", f"/v1/price-books/{_quoted(name)}", book))
        except ServiceProblem as problem:
            raise Failure(problem.what, _remedy(problem)) from None
    if as_json:
        screen.write_json(told)
    else:
        screen.say(f"{name} is published: number {told['number']}, {len(told['prices'])} prices.")


@prices.command()
def example() -> None:
    """Print a price book to begin with.

    It prices all that the demo cloud has: classes, GPUs by their model, a
    flavor, and holds.

    \b
    Example:
      tally prices example > prices.json
    """
    from scripts.cli import screen
    from scripts.cli.prices_example import example as example_book

    screen.write_json(example_book())


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def _read(file: Path) -> "Body":
    """Without looking into it: the service says best what is wrong with a book."""
    import json
    import sys

    from scripts.cli.failure import Failure

    where = "standard input" if str(file) == "-" else str(file)
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        book = json.loads(data.decode("utf-8-sig"), parse_float=str)
    except OSError as error:
        raise Failure(f"{where} cannot be read: {error.strerror}", FORM) from None
    except UnicodeDecodeError as error:
        raise Failure(f"{where} is not UTF-8 text: {error}", FORM) from None
    except json.JSONDecodeError as error:
        raise Failure(f"{where}:{error.lineno} is not JSON: {error.msg}", FORM) from None
    except RecursionError:
        raise Failure(f"{where} is nested too deeply", FORM) from None
    if not isinstance(book, dict):
        raise Failure(f"{where} holds no price book: a book is a JSON object", FORM)
    return book


def _remedy(problem: "ServiceProblem") -> str:
    """Each fault of the book by its place, and what to do."""
    faults = [
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        for fault in problem.extras.get("errors", ())
    ]
    return "\n".join([*faults, "Nothing was published.", FORM])
