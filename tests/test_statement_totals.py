"""What all projects have to pay for a period, and the same history under two price books."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.billed_service import at, class_price, host, publish
from tests.databases import ScratchDatabase
from tests.open_service import Client, Json, code_of, cpus, gpus, open_service

BOOK: Json = {
    "currency": "EUR",
    "prices": [class_price("VCPU", "0.10", minimum_seconds=7_200), class_price("PGPU", "2")],
}
OTHER: Json = {"currency": "EUR", "prices": [class_price("VCPU", "0.25"), class_price("PGPU", "1")]}
TOTALS = "/v1/statements/2026-01/totals?price_book=standard"
COMPARISON = "/v1/statements/2026-01/comparison?price_book=standard&other=other"


@pytest.fixture
def client(database: ScratchDatabase) -> Iterator[Client]:
    """Three projects in January: CPUs for ten hours, a GPU for one, and CPUs until New Year."""
    with open_service(database) as opened:
        host(opened)
        publish(opened, BOOK)
        publish(opened, OTHER, "other")
        opened.submit("web", cpus(10), project_id="acme", headers=at(1))
        opened.delete("/v1/claims/web", headers=at(1, 10))
        opened.submit("train", cpus(1), gpus(1), project_id="lab", headers=at(2))
        opened.delete("/v1/claims/train", headers=at(2, 1))
        opened.submit("old", cpus(1), project_id="zoo", headers={"Tallystick-At": LAST_DAY})
        opened.delete("/v1/claims/old", headers=at(1, 0))
        yield opened


LAST_DAY = "2025-12-31T20:00:00Z"


def test_the_totals_of_all_projects_are_those_of_their_statements(client: Client) -> None:
    items = client.items(TOTALS)
    # What `zoo` held was over when January began; the minimum of `lab` doubles its CPU hour.
    assert [(one["project_id"], one["total"]) for one in items] == [
        ("acme", "10.00"),
        ("lab", "2.20"),
    ]
    assert items == client.items(TOTALS + "&limit=1")
    for one in items:
        path = f"/v1/statements/2026-01?project_id={one['project_id']}&price_book=standard"
        statement = client.get(path).json()
        assert {name: statement[name] for name in ("total", "lines", "digest")} == {
            name: one[name] for name in ("total", "lines", "digest")
        }
    assert [one["project_id"] for one in client.items(TOTALS + "&project_id=lab")] == ["lab"]


def test_totals_tell_what_was_charged_beside_what_the_log_says_now(client: Client) -> None:
    body = {"project_id": "acme", "price_book": "standard"}
    client.post("/v1/statements/2026-01/close", body)
    client.submit("late", cpus(1), headers=at(3))
    client.delete("/v1/claims/late", headers=at(3, 10))
    charged = {one["project_id"]: (one["total"], one["charged"]) for one in client.items(TOTALS)}
    assert charged == {"acme": ("11.00", "10.00"), "lab": ("2.20", None)}


def test_pages_of_totals_keep_to_a_position(client: Client) -> None:
    first = client.get(TOTALS + "&limit=1").json()
    client.submit("late", cpus(1), project_id="lab", headers=at(3))
    client.delete("/v1/claims/late", headers=at(3, 10))
    rest = f"{TOTALS}&limit=1&cursor={first['next']}"
    assert client.get(rest).json()["items"][0]["total"] == "3.20"
    pinned = client.get(f"{rest}&position={first['position']}").json()
    assert (pinned["items"][0]["total"], pinned["next"]) == ("2.20", None)
    beyond = client.get(f"{TOTALS}&position=999999")
    assert code_of(beyond) == (422, "position_beyond_head")


def test_two_books_are_compared_project_by_project_to_the_cent(client: Client) -> None:
    acme, lab = client.items(COMPARISON)
    assert acme == {
        "project_id": "acme",
        "total": "10.00",
        "other_total": "25.00",
        "difference": "15.00",
        "by_resource": {"VCPU": {"total": "10.00", "other_total": "25.00", "difference": "15.00"}},
    }
    assert (lab["total"], lab["other_total"], lab["difference"]) == ("2.20", "1.25", "-0.95")
    parts = [Decimal(one["difference"]) for one in lab["by_resource"].values()]
    assert sum(parts) == Decimal("-0.95")
    assert [acme, lab] == client.items(COMPARISON + "&limit=1")


def test_two_publications_of_one_book_are_compared(client: Client) -> None:
    publish(client, OTHER)
    path = "/v1/statements/2026-01/comparison?price_book=standard&number=1&other=standard"
    page = client.get(path).json()
    assert (page["price_book_number"], page["other_price_book_number"]) == (1, 2)
    assert [one["difference"] for one in page["items"]] == ["15.00", "-0.95"]


def test_books_in_two_currencies_are_not_compared(client: Client) -> None:
    publish(client, {**OTHER, "currency": "JPY"}, "other")
    assert code_of(client.get(COMPARISON)) == (422, "currencies_differ")


def test_a_line_of_a_unit_names_what_told_its_attributes(client: Client) -> None:
    of_lab = "?project_id=lab&price_book=standard"
    lines = client.items(f"/v1/statements/2026-01/lines{of_lab}")
    (gpu,) = (line for line in lines if line["unit"])
    detail = client.get(f"/v1/statements/2026-01/lines/{gpu['number']}{of_lab}").json()
    told = {one["type"] for one in detail["events"]}
    assert {"provider.inventory_changed", "claim.granted", "price_book.published"} < told
    cpu = next(line for line in lines if line["resource"] == "VCPU")
    detail = client.get(f"/v1/statements/2026-01/lines/{cpu['number']}{of_lab}").json()
    assert "provider.inventory_changed" not in {one["type"] for one in detail["events"]}
