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
    screen.say(f"rests on    {rests_on(statement)}")
    screen.say(f"total       {Decimal(statement['total']):,} {statement['currency']}")
    _charges(statement)
    if not bill.lines:
        screen.say("The project held nothing that is charged in this period.")
        return
    total, currency = Decimal(statement["total"]), statement["currency"]
    _table("resource", sums_of(statement["by_resource"], MOST_SUMS), total, currency)
    _table("price", sums_of(statement["by_price"], MOST_SUMS), total, currency)
    _table("provider", by_provider(bill, MOST_SUMS), total, currency)
    if with_lines:
        show_lines(bill.lines)
    else:
        screen.say(f"{statement['lines']:,} lines; --lines shows them.")


def state_of(statement: dict[str, Any]) -> str:
    """`complete`, `open: up to 2026-11-23 14:32:00 UTC`, or `closed on 2026-12-01 08:00:00 UTC`."""
    state = str(statement["state"])
    if state == "complete":
        return state
    if state == "open":
        return f"open: up to {screen.second(statement['until'])} UTC"
    told = statement["charges"][statement["charge"] - 1]
    return f"{state} on {screen.second(told['recorded_at'])} UTC"


def rests_on(statement: dict[str, Any]) -> str:
    """What it takes to prove it: a position, and the checkpoint by which it is sealed."""
    sealed = statement["checkpoint"]
    how = f"sealed by checkpoint {sealed['size']:,}" if sealed else "not sealed yet"
    return f"position {statement['position']:,} of the log, {how}"


def _charges(statement: dict[str, Any]) -> None:
    """Where there is more to tell than the charge that is shown."""
    charges = statement["charges"]
    if not charges or (len(charges) == 1 and statement["charge"]):
        return
    screen.table(
        ("charge", "on", "credited", "charged", "reason"),
        (
            (
                str(one["number"]),
                screen.second(one["recorded_at"]),
                "" if one["credit"] is None else f"{Decimal(one['credit']):,}",
                f"{Decimal(one['total']):,}",
                one["reason"] or "",
            )
            for one in charges
        ),
        right=("charge", "credited", "charged"),
    )


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


def show_lines(lines: list[dict[str, Any]]) -> None:
    columns = (
        "line",
        "consumer",
        "from",
        "to",
        "resource",
        "held",
        "price",
        "quantity",
        "at",
        "amount",
    )
    screen.table(
        columns,
        (
            (
                str(line["number"]),
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
            for line in lines
        ),
        right=("line", "held", "quantity", "at", "amount"),
    )


def resource_of(line: dict[str, Any]) -> str:
    """`VCPU`, or `PGPU gpu0`."""
    return f"{line['resource']} {line['unit']}" if line["unit"] else str(line["resource"])
