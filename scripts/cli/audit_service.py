"""What the service says of a period's bills, for an audit to hold it to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from domain.times import to_micros
from infra.audit.replay import NO_LINES, Line, Publication
from infra.audit.stated import Stated
from scripts.cli.bill_read import REMEDIES
from scripts.cli.client import Body, ServiceClient, ServiceProblem, ServiceUnreachable
from scripts.cli.failure import Failure

PROJECTS_AT_ONCE = 100
FLAVOR = "flavor "


def told_totals(
    client: ServiceClient, period: str, book: str, number: int | None, position: int
) -> tuple[list[Stated], Stated]:
    """What every project has to pay, as of a position of the log; and the bill of a project that
    the service does not tell of, which comes to nothing. Raises Failure."""
    path = f"{_path(period)}/totals"
    asked: dict[str, Any] = {"price_book": book, "number": number, "position": position}
    page = _get(client, path, **asked)
    untold = _untold(page)
    asked |= {"number": page["price_book_number"], "until": page["until"]}
    items = page["items"]
    while page["next"] is not None:
        page = _get(client, path, cursor=page["next"], **asked)
        items += page["items"]
    return [_told(untold, item) for item in items], untold


def told_lines(client: ServiceClient, stated: Stated) -> Sequence[Line] | None:
    """The lines that the service works out from its read models for the same bill, whatever was
    charged; None where it cannot be asked."""
    asked: dict[str, Any] = {
        "project_id": stated.project_id,
        "price_book": stated.publication.price_book,
        "number": stated.publication.number,
        "until": stated.end.isoformat(),
        "position": stated.position,
    }
    try:
        return [_line(one) for one in client.pages(f"{_path(stated.period)}/lines", **asked)]
    except (ServiceProblem, ServiceUnreachable):
        return None


def _path(period: str) -> str:
    return f"/v1/statements/{quote(period, safe='')}"


def _get(client: ServiceClient, path: str, **asked: Any) -> Body:
    try:
        return client.get(path, limit=PROJECTS_AT_ONCE, **asked)
    except ServiceProblem as problem:
        raise Failure(problem.what, REMEDIES.get(problem.code, "")) from None


def _untold(page: Body) -> Stated:
    return Stated(
        project_id="",
        period=page["period"],
        start=datetime.fromisoformat(page["from_at"]),
        end=datetime.fromisoformat(page["until"]),
        publication=Publication(page["price_book"], page["price_book_number"]),
        position=page["position"],
        currency=page["currency"],
        total=Decimal(0),
        lines=0,
        digest=NO_LINES,
    )


def _told(untold: Stated, item: Body) -> Stated:
    return replace(
        untold,
        project_id=item["project_id"],
        total=Decimal(item["total"]),
        lines=item["lines"],
        digest=item["digest"],
    )


def _line(told: Body) -> Line:
    resource = told["resource"]
    is_flavor = resource.startswith(FLAVOR)
    return Line(
        position=told["position"],
        from_at=to_micros(datetime.fromisoformat(told["from_at"])),
        to_at=to_micros(datetime.fromisoformat(told["to_at"])),
        price=told["price"],
        provider=told["provider_id"],
        resource_class="" if is_flavor else resource,
        unit=told["unit"] or "",
        flavor=resource.removeprefix(FLAVOR) if is_flavor else "",
        amount_held=told["amount_held"],
        unit_price=f"{Decimal(told['unit_price']).normalize():f}",
        amount=told["amount"],
    )
