"""One page to read and to print: it needs no script, and nothing from elsewhere."""

from collections.abc import Sequence

from scripts.cli.markup import Markup, element
from scripts.cli.page_style import STYLE

# Nothing that a name brings along may run or load, even if it were not escaped.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, *content: Markup) -> bytes:
    head = (
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element("body", element("main", *content))
    html = element("html", element("head", *head), body, lang="en")
    return f"<!DOCTYPE html>\n{html}\n".encode()


def facts(pairs: dict[str, str]) -> Markup:
    """What is what, one below the other."""
    cells = [
        cell for what, said in pairs.items() for cell in (element("dt", what), element("dd", said))
    ]
    return element("dl", *cells)


def row(cell: str, *texts: str, numbers: Sequence[int] = ()) -> Markup:
    """A row of a table; the cells at the places `numbers` are aligned right."""
    return element(
        "tr",
        *(
            element(cell, text, class_="number" if place in numbers else None)
            for place, text in enumerate(texts)
        ),
    )
