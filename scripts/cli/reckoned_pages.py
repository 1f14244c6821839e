"""Pages of what projects have to pay, all as of the position that the first one tells."""

from collections.abc import Iterator

from scripts.cli import screen
from scripts.cli.bill_read import explained
from scripts.cli.client import Body, ServiceClient

PROJECTS = 100
"""On a page: each of them is a bill to rate."""
PINS = {
    "position": "position",
    "until": "until",
    "number": "price_book_number",
    "other_number": "other_price_book_number",
}
"""By a parameter's name, what the first page tells of it."""


def reckoned_pages(client: ServiceClient, path: str, **params: str | int | None) -> Iterator[Body]:
    cursor: str | None = None
    told = 0
    while True:
        with explained():
            page = client.get(path, limit=PROJECTS, cursor=cursor, **params)
        yield page
        cursor = page["next"]
        if cursor is None:
            return
        params |= {name: page[told] for name, told in PINS.items() if told in page}
        told += len(page["items"])
        screen.note(f"{told:,} projects are reckoned.")
