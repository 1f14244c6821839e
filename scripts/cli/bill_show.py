"""A bill on the screen: its head, its sums, and its lines where they are asked for."""

from decimal import Decimal
from typing import Any

from scripts.cli import screen
from scripts.cli.bill_read import Bill
from scripts.cli.bill_sums import Sums, by_provider, sums_of

MOST_SUMS = 20


def show(bill: Bill, *, with_lines: bool) -> None:
    statement = bill.statement
    screen.say(f"project     {statement['project_id']}")
    screen.say(f"period      {statement['period']}, {state_of(statement)}")
    screen.say(f"price book  {statement['price_book']}, number {statement['price_book_number']}")
    screen.say(f"total       {Decimal(statement['total']):,} {statement['currency']}")
    if not bill.lines:
        screen.say("The project held nothing that is charged in this period.")
        return
    total, currency = Decimal(statement["total"]), statement["currency"]
    _table("resource", sums_of(statement["by_resource"], MOST_SUMS), total, currency)
    _table("price", sums_of(statement["by_price"], MOST_SUMS), total, currency)
    _table("provider", by_provider(bill, MOST_SUMS), total, currency)
    if with_lines:
        _lines(bill)
    else:
        screen.say(f"{statement['lines']:,} lines; --lines shows them.")


def state_of(statement: dict[str, Any]) -> str:
    """`complete`, or `open: up to 2026-11-23 14:32:00`."""
    if statement["state"] == "complete":
        return "complete"
    return f"open: up to {screen.second(statement['until'])} UTC"


def plain(number: str) -> str:
    """Without zeros that say nothing: `8.000000000` as 8."""
    return f"{Decimal(number).normalize():,f}"


def _table(what: str, sums: Sums, total: Decimal, currency: str) -> None:
    screen.table(
        (what, currency, "share"),
        (
            (name, f"{amount:,}", screen.bar(float(amount), float(total)) if total else "")
            for name, amount in sums
        ),
        right=(currency,),
    )


def _lines(bill: Bill) -> None:
    columns = ("consumer", "from", "to", "resource", "held", "price", "quantity", "at", "amount")
    screen.table(
        columns,
        (
            (
                line["consumer_id"]
                if line["status"] == "claim"
                else f"{line['consumer_id']} (hold)",
                screen.second(line["from_at"]),
                screen.second(line["to_at"]),
                resource_of(line),
                f"{line['amount_held']:,}",
                line["price"],
                plain(line["quantity"]),
                f"{plain(line['unit_price'])} per {line['per']}",
                line["amount"],
            )
            for line in bill.lines
        ),
        right=("held", "quantity", "at", "amount"),
    )


def resource_of(line: dict[str, Any]) -> str:
    """`VCPU`, or `PGPU gpu0`."""
    return f"{line['resource']} {line['unit']}" if line["unit"] else str(line["resource"])
