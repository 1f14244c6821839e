"""An audit as a ledger of Beancount's, whose checker then gives an opinion of its own.

Each line is a transaction: the project owes, and a price has earned. What a charge says that it
comes to is a balance assertion, to the last digit, on the account of that charge alone; and of all
charges of a statement together, where a correction gives back what was charged before it. What the
service reckons is beside that, in accounts of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from domain.times import from_micros
from infra.audit.checking import Checked, Verdict
from infra.audit.kept_lines import KeptLine, KeptLines
from infra.audit.stated import Stated

OPENED = date(1970, 1, 1)
CREDITED = "Income:Credited"


def ledger_of(checked: Sequence[Checked], kept: KeptLines) -> Iterator[str]:
    """The text, piece by piece."""
    shown = [
        (place, one.stated)
        for place, one in enumerate(checked)
        if one.verdict is not Verdict.NOT_CHECKABLE
    ]
    yield 'option "title" "Bills, worked out from the log alone"\n'
    for currency in sorted({stated.currency for _, stated in shown}):
        yield f'option "operating_currency" "{currency}"\n'
    yield from _opened(shown, kept)
    for place, stated in shown:
        yield from _charge(stated, kept.of(place))
    yield from _statements(stated for _, stated in shown)


def _opened(shown: Sequence[tuple[int, Stated]], kept: KeptLines) -> Iterator[str]:
    accounts = {CREDITED: ""}
    for place, stated in shown:
        accounts[_owed(stated)] = accounts[_charged(stated)] = stated.project_id
        if stated.recorded is not None and stated.recorded.credit is not None:
            accounts[_credited(stated, stated.recorded.number)] = stated.project_id
        for price in kept.prices(place):
            accounts[_earned(stated, price)] = ""
    for account, project_id in sorted(accounts.items()):
        yield f"\n{OPENED} open {account}"
        if project_id:
            yield f"\n  project: {_text(project_id)}"
    yield "\n"


def _charge(stated: Stated, lines: Iterable[KeptLine]) -> Iterator[str]:
    event = stated.recorded
    if event is not None and event.credit is not None:
        yield (
            f'\n{event.at.date()} * {_text(stated.project_id)} "Credit note"\n'
            f"  position: {event.position}\n"
            f"  {_credited(stated, event.number)}  {event.credit} {stated.currency}\n"
            f"  {CREDITED}  {-event.credit} {stated.currency}\n"
        )
    for one in lines:
        yield _transaction(stated, one)
    yield _asserted(_charged(stated), _day_after(stated), stated.total, stated.currency)


def _transaction(stated: Stated, one: KeptLine) -> str:
    line = one.line
    what = f"flavor {line.flavor}" if line.flavor else f"{line.amount_held} {line.resource_class}"
    if line.unit:
        what += f" of {line.unit}"
    return (
        f"\n{from_micros(line.from_at).date()} * {_text(stated.project_id)} "
        f"{_text(f'{what} at {line.unit_price}')}\n"
        f"  position: {line.position}\n"
        f"  consumer: {_text(one.consumer_id)}\n"
        f"  provider: {_text(line.provider)}\n"
        f"  from: {_text(from_micros(line.from_at).isoformat())}\n"
        f"  until: {_text(from_micros(line.to_at).isoformat())}\n"
        f"  {_charged(stated)}  {line.amount} {stated.currency}\n"
        f"  {_earned(stated, line.price)}  -{line.amount} {stated.currency}\n"
    )


def _statements(stated: Iterable[Stated]) -> Iterator[str]:
    """Of each statement that was charged: what is owed after all of its charges."""
    newest: dict[str, Stated] = {}
    last: dict[str, date] = defaultdict(lambda: OPENED)
    for one in stated:
        if one.recorded is not None:
            account = _owed(one)
            newest[account] = one
            day = max(_day_after(one), one.recorded.at.date() + timedelta(days=1))
            last[account] = max(last[account], day)
    for account, one in newest.items():
        yield _asserted(account, last[account], one.total, one.currency)


def _day_after(stated: Stated) -> date:
    """The first day on which all that is charged lies before."""
    return (stated.end - timedelta(microseconds=1)).date() + timedelta(days=1)


def _asserted(account: str, day: date, total: Decimal, currency: str) -> str:
    """On a day's beginning; a tolerance of nothing, where Beancount's own is a smallest unit."""
    return f"\n{day} balance {account}  {total} ~ 0 {currency}\n"


# --- Names ----------------------------------------------------------------------------------------


def _owed(stated: Stated) -> str:
    book = stated.publication.price_book
    return (
        f"Assets:{'Receivable' if stated.recorded else 'Reckoned'}:Of-{_name(stated.project_id)}"
        f":For-{_name(stated.period)}:By-{_name(book)}"
    )


def _charged(stated: Stated) -> str:
    event = stated.recorded
    return _owed(stated) if event is None else f"{_owed(stated)}:Charge-{event.number}"


def _credited(stated: Stated, number: int) -> str:
    return f"{_owed(stated)}:Credit-{number}"


def _earned(stated: Stated, price: str) -> str:
    return f"Income:{'Charged' if stated.recorded else 'Reckoned'}:By-{_name(price)}"


def _name(text: str) -> str:
    """As part of an account's name, where only letters, digits and hyphens may be: a hyphen is
    two, what else may not be is a hyphen and its bytes in hexadecimal."""
    return "".join(
        character
        if character.isascii() and character.isalnum()
        else "--"
        if character == "-"
        else "".join(f"-{byte:02X}" for byte in character.encode())
        for character in text
    )


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
