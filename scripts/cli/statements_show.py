"""Closed statements as tables: what was charged, and what would be corrected."""

from collections import defaultdict
from decimal import Decimal

from scripts.cli import screen
from scripts.cli.client import Body


def show_closed(items: list[Body]) -> None:
    screen.table(
        ("project", "period", "price book", "state", "on", "charged", "currency", "position"),
        (
            (
                one["project_id"],
                one["period"],
                f"{one['price_book']}, number {one['charge']['price_book_number']}",
                one["state"] if one["number"] == 1 else f"{one['state']}, charge {one['number']}",
                screen.second(one["recorded_at"]),
                f"{Decimal(one['charge']['total']):,}",
                one["charge"]["currency"],
                f"{one['charge']['position']:,}",
            )
            for one in items
        ),
        right=("charged", "position"),
    )


def show_charged(what: str, items: list[Body]) -> None:
    """The statements that were just closed, or corrected, and what they come to."""
    if not items:
        screen.say(f"There was nothing to be {what}.")
        return
    show_closed(items)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in items:
        sums[one["charge"]["currency"]] += Decimal(one["charge"]["total"])
    told = ", ".join(f"{amount:,} {currency}" for currency, amount in sorted(sums.items()))
    screen.say(f"{len(items):,} statements are {what}: {told}.")


def show_differences(items: list[Body]) -> None:
    if not items:
        screen.say("All closed statements are as the log tells them.")
        return
    screen.table(
        ("project", "charged", "by the log", "difference", "currency", "number", "lines"),
        (
            (
                one["project_id"],
                f"{Decimal(one['charged']):,}",
                f"{Decimal(one['reckoned']):,}",
                f"{Decimal(one['difference']):+,}",
                one["currency"],
                str(one["price_book_number"]),
                f"{one['lines_charged']:,} to {one['lines_reckoned']:,}",
            )
            for one in items
        ),
        right=("charged", "by the log", "difference", "number"),
    )
