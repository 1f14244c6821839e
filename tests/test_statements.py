"""Price books and statements over REST: what was held, at its own times, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.billed_service import EUR, HOLDS, at, host, publish
from tests.databases import ScratchDatabase
from tests.open_service import Client, code_of, cpus, open_service

STATEMENT = "/v1/statements/2026-01?project_id=acme&price_book=standard"
LINES = STATEMENT.replace("2026-01?", "2026-01/lines?")


@pytest.fixture
def client(database: ScratchDatabase) -> Iterator[Client]:
    with open_service(database) as opened:
        yield opened


def test_a_book_is_published_in_numbered_versions_that_are_kept(client: Client) -> None:
    first = publish(client)
    assert (first["number"], first["month_rule"]) == (1, "calendar")
    assert publish(client)["number"] == 1  # It says that already.
    dearer = {**EUR, "prices": [{**EUR["prices"][0], "tiers": [{"price": "0.20"}]}]}
    assert publish(client, dearer)["number"] == 2
    assert client.get("/v1/price-books/standard").json()["prices"][0]["tiers"][0]["price"] == "0.20"
    older = client.get("/v1/price-books/standard?number=1").json()
    assert older["prices"][0]["tiers"] == [{"above": "0", "price": "0.10"}]
    publish(client, EUR, "another")
    listed = [(one["name"], one["number"]) for one in client.items("/v1/price-books?limit=1")]
    assert listed == [("another", 1), ("standard", 2)]
    missing = client.get("/v1/price-books/standard?number=3")
    assert code_of(missing) == (404, "price_book_not_found")


def test_a_book_that_prices_a_thing_twice_or_an_unknown_class_is_refused(client: Client) -> None:
    twice = {**EUR, "prices": [EUR["prices"][0], {**EUR["prices"][0], "name": "again"}]}
    answer = client.put("/v1/price-books/standard", twice)
    assert code_of(answer) == (422, "invalid_body")
    assert "price the same things at the same time" in answer.text
    target = {"kind": "class", "resource_class": "CUSTOM_NOBODY_KNOWS"}
    unknown = {**EUR, "prices": [{**EUR["prices"][0], "target": target}]}
    answer = client.put("/v1/price-books/standard", unknown)
    assert code_of(answer) == (422, "unknown_resource_class")


def test_a_statement_tells_what_was_held_in_the_period_it_belongs_to(client: Client) -> None:
    host(client)
    publish(client)
    client.submit("web", cpus(2), headers=at(31, 20))
    client.delete("/v1/claims/web", headers=at(1, 4, month=2))
    january = client.get(STATEMENT).json()
    assert (january["total"], january["currency"], january["state"]) == ("0.80", "EUR", "complete")
    february = client.get(STATEMENT.replace("2026-01", "2026-02")).json()
    assert february["total"] == "0.80"
    year = client.get(STATEMENT.replace("2026-01", "2026")).json()
    assert (year["total"], year["lines"], year["by_resource"]) == ("1.60", 2, {"VCPU": "1.60"})
    (line,) = client.items(LINES)
    assert (line["from_at"], line["to_at"]) == ("2026-01-31T20:00:00Z", "2026-02-01T00:00:00Z")
    assert Decimal(line["quantity"]) == 8
    assert (line["unit_price"], line["amount"], line["price"]) == ("0.10", "0.80", "CPU")
    granted = client.get(f"/v1/events?after={line['position'] - 1}&limit=1").json()["items"][0]
    assert (granted["type"], granted["subject"]) == ("claim.granted", "claim:web")


def test_resizes_and_partial_releases_are_charged_from_their_own_moments(client: Client) -> None:
    provider = host(client)
    publish(client)
    client.submit("web", cpus(8), headers=at(1, 0))
    client.put("/v1/claims/web", {"components": [cpus(2)]}, headers=at(1, 1))
    part = {"allocations": [{"provider_id": provider, "resource_class": "VCPU", "amount": 1}]}
    answer = client.post("/v1/claims/web/release", part, headers=at(1, 2))
    assert answer.status_code == 200, answer.text
    client.delete("/v1/claims/web", headers=at(1, 3))
    amounts = [line["amount"] for line in client.items(LINES + "&limit=2")]
    assert amounts == ["0.80", "0.20", "0.10"]


def test_holds_have_a_price_of_their_own_and_without_one_that_is_said(client: Client) -> None:
    host(client)
    publish(client)
    held = client.submit("web", cpus(10), hold_until="2026-01-01T05:00:00Z", headers=at(1, 0))
    client.post(f"/v1/requests/{held.json()['id']}/confirm", headers=at(1, 2))
    client.delete("/v1/claims/web", headers=at(1, 3))
    client.submit("other", cpus(10), hold_until="2026-01-02T05:00:00Z", headers=at(2, 0))
    refused = client.get(STATEMENT)
    assert code_of(refused) == (409, "no_price")
    assert "VCPU of the hold of web at 2026-01-01T00:00:00+00:00" in refused.json()["detail"]
    publish(client, {**EUR, "prices": [*EUR["prices"], HOLDS]})
    assert [line["amount"] for line in client.items(LINES)] == ["0.20", "1.00", "0.50"]
    assert client.get(STATEMENT).json()["by_price"] == {"CPU": "1.00", "CPU held": "0.70"}
    assert code_of(client.get(STATEMENT + "&number=1")) == (409, "no_price")


def test_a_flavor_is_charged_as_one_thing_until_a_part_of_it_is_given_back(client: Client) -> None:
    provider = host(client)
    publish(client)
    client.put("/v1/flavors/small", {"resources": {"VCPU": 2}}, headers=at(1, 0))
    client.submit("web", {"kind": "flavor", "name": "small"}, cpus(1), headers=at(1, 1))
    part = {"allocations": [{"provider_id": provider, "resource_class": "VCPU", "amount": 2}]}
    client.post("/v1/claims/web/release", part, headers=at(1, 2))
    client.delete("/v1/claims/web", headers=at(1, 3))
    told = [(line["resource"], line["amount"]) for line in client.items(LINES)]
    assert told == [("flavor small", "0.15"), ("VCPU", "0.10"), ("VCPU", "0.10")]


def test_a_unit_is_charged_by_what_it_was_at_the_time(client: Client) -> None:
    provider = host(client)
    publish(client)
    gpus = {"kind": "units", "resource_class": "PGPU", "count": 2}
    client.submit("web", gpus, headers=at(1, 0))
    units = [{"name": name, "attributes": {"model": "A100"}} for name in ("A100", "T4")]
    corrected = client.put(
        f"/v1/providers/{provider}/inventories/PGPU",
        {"kind": "discrete", "units": units},
        headers=at(1, 2),
    )
    assert corrected.status_code == 200, corrected.text
    client.delete("/v1/claims/web", headers=at(1, 3))
    told = [(line["unit"], line["price"], line["amount"]) for line in client.items(LINES)]
    assert told == [
        ("A100", "A100", "10.00"),
        ("T4", "GPU", "4.00"),
        ("A100", "A100", "5.00"),
        ("T4", "A100", "5.00"),
    ]


def test_pages_are_the_same_whatever_the_limit(client: Client) -> None:
    host(client)
    publish(client)
    for day in (1, 2, 3):
        client.submit(f"web-{day}", cpus(day), headers=at(day))
        client.delete(f"/v1/claims/web-{day}", headers=at(day, 1))
    whole = client.items(LINES)
    assert [line["consumer_id"] for line in whole] == ["web-1", "web-2", "web-3"]
    assert client.items(LINES + "&limit=1") == client.items(LINES + "&limit=2") == whole


def test_a_statement_up_to_a_moment_and_its_lines_stay_what_they_are(client: Client) -> None:
    host(client)
    publish(client)
    client.submit("web", cpus(1), headers=at(1))
    noon = "&until=2026-01-01T12:00:00Z"
    told = client.get(STATEMENT + noon).json()
    assert (told["total"], told["state"], told["until"]) == ("1.20", "open", "2026-01-01T12:00:00Z")
    client.submit("later", cpus(1), headers=at(2))
    again = client.get(STATEMENT + noon).json()
    assert (again["total"], again["digest"]) == (told["total"], told["digest"])
    assert again["position"] > told["position"]
    assert [line["amount"] for line in client.items(LINES + noon)] == ["1.20"]
    whole = client.get(STATEMENT + "&until=2026-03-01T00:00:00%2B00:00").json()
    assert whole["digest"] == client.get(STATEMENT).json()["digest"]


def test_a_moment_that_no_statement_can_be_told_up_to_is_refused(client: Client) -> None:
    publish(client)
    for path in (STATEMENT, LINES):
        assert code_of(client.get(path + "&until=2026-01-01T00:00:00Z")) == (422, "bad_period")
        assert code_of(client.get(path + "&until=2999-01-01T00:00:00Z")) == (422, "at_in_future")
        assert code_of(client.get(path + "&until=noon")) == (422, "bad_time")


def test_an_open_period_is_told_up_to_now_and_others_owe_nothing(client: Client) -> None:
    host(client)
    publish(client)
    client.submit("web", cpus(2))
    now = datetime.now(UTC)
    today = client.get(STATEMENT.replace("2026-01", f"{now.year}-{now.month:02}")).json()
    assert today["state"] == "open"
    assert abs(datetime.fromisoformat(today["until"]) - now) < timedelta(minutes=1)
    nobody = client.get(STATEMENT.replace("acme", "nobody")).json()
    assert (nobody["total"], nobody["lines"], nobody["by_price"]) == ("0", 0, {})
    future = client.get(STATEMENT.replace("2026-01", "2999"))
    assert code_of(future) == (422, "at_in_future")
    assert code_of(client.get(STATEMENT.replace("2026-01", "2026-13"))) == (422, "bad_period")
