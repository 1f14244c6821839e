"""Price books as tables that people read."""

from typing import Any

from scripts.cli import screen


def show_books(books: list[dict[str, Any]]) -> None:
    screen.table(
        ("price book", "number", "published", "currency", "month", "prices"),
        (
            (
                book["name"],
                str(book["number"]),
                screen.second(book["published_at"]),
                book["currency"],
                _month(book["month_rule"]),
                str(len(book["prices"])),
            )
            for book in books
        ),
        right=("number", "prices"),
    )


def show_prices(book: dict[str, Any]) -> None:
    screen.say(f"{book['name']}, number {book['number']} of {screen.second(book['published_at'])}")
    screen.say(f"in {book['currency']}; a month is {_month(book['month_rule'])}")
    screen.table(
        ("price", "of", "per", book["currency"], "free", "on", "at least", "valid"),
        (
            (
                price["name"],
                target_of(price["target"]),
                per_of(price),
                "\n".join(tiers_of(price)),
                "" if _is_zero(price["free_quantity"]) else _plain(price["free_quantity"]),
                " and ".join(f"{status}s" for status in price["applies_to"]),
                f"{price['minimum_seconds']} s" if price["minimum_seconds"] else "",
                _dates(price),
            )
            for price in book["prices"]
        ),
        right=("free", "at least"),
    )


def target_of(target: dict[str, Any]) -> str:
    """`VCPU`, `flavor small`, or `PGPU where model = A100`."""
    if target["kind"] == "flavor":
        return f"flavor {target['name']}"
    if target["kind"] == "class":
        return str(target["resource_class"])
    conditions = (
        f"{one['attribute']} = {one['equals']}"
        if one.get("equals") is not None
        else f"{one['attribute']} in {', '.join(map(str, one['in']))}"
        for one in target["where"]
    )
    return f"{target['resource_class']} where {' and '.join(conditions)}"


def per_of(price: dict[str, Any]) -> str:
    """`hour`, or `1024 and month`."""
    amount = price["amount"]
    return str(price["per"]) if amount == 1 else f"{amount:,} and {price['per']}"


def tiers_of(price: dict[str, Any]) -> list[str]:
    """A line for each tier, in order."""
    return [
        tier["price"]
        if _is_zero(tier["above"])
        else f"{tier['price']} above {_plain(tier['above'])}"
        for tier in price["tiers"]
    ]


def _month(rule: str) -> str:
    return {"calendar": "the calendar's", "730_hours": "730 hours", "30_days": "30 days"}[rule]


def _dates(price: dict[str, Any]) -> str:
    since, until = price["valid_from"], price["valid_until"]
    told = [f"from {screen.second(since)}"] if since else []
    return " ".join([*told, *([f"until {screen.second(until)}"] if until else [])]) or "always"


def _is_zero(quantity: str) -> bool:
    return float(quantity) == 0


def _plain(quantity: str) -> str:
    return f"{float(quantity):,.10g}"
