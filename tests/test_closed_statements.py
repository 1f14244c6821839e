"""Closed statements over REST: a charge stays what it was, and a correction says what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.billed_service import at, class_price, host, publish
from tests.cli_processes import wait_until
from tests.databases import ScratchDatabase
from tests.open_service import Client, Json, code_of, cpus, open_service

BOOK: Json = {"currency": "EUR", "prices": [class_price("VCPU", "0.10")]}
DEARER: Json = {"currency": "EUR", "prices": [class_price("VCPU", "1.00")]}
JANUARY = "/v1/statements/2026-01"
OF_ACME = "?project_id=acme&price_book=standard"
LINES = JANUARY + "/lines" + OF_ACME


@pytest.fixture
def client(database: ScratchDatabase) -> Iterator[Client]:
    """A project `acme` held ten CPUs for ten hours in January, which are 10.00 EUR."""
    with open_service(database, seal_seconds=0.02) as opened:
        host(opened)
        publish(opened, BOOK)
        hold(opened, "web", 10, 10)
        yield opened


def hold(client: Client, consumer: str, count: int, hours: int, day: int = 1) -> None:
    client.submit(consumer, cpus(count), headers=at(day))
    answer = client.delete(f"/v1/claims/{consumer}", headers=at(day, hours))
    assert answer.status_code == 204, answer.text


def close(client: Client, period: str = "2026-01", **more: Any) -> httpx.Response:
    body = {"project_id": "acme", "price_book": "standard"}
    return client.post(f"/v1/statements/{period}/close", body, **more)


def correct(client: Client, reason: str = "a late release", **more: Any) -> httpx.Response:
    body = {"project_id": "acme", "price_book": "standard", "reason": reason, **more}
    return client.post(f"{JANUARY}/correct", body)


def told(client: Client, more: str = "") -> Json:
    answer = client.get(JANUARY + OF_ACME + more)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_a_closed_statement_stays_as_it_was_whatever_is_written_and_published_later(
    client: Client,
) -> None:
    complete = told(client)
    assert (complete["state"], complete["charge"], complete["charges"]) == ("complete", None, [])
    closed = close(client).json()
    assert (closed["state"], closed["charge"]["total"]) == ("closed", "10.00")
    assert closed["charge"]["digest"] == complete["digest"]
    lines = client.items(LINES)
    hold(client, "late", 1, 10, day=2)
    publish(client, DEARER)
    after = told(client)
    assert (after["state"], after["total"], after["charge"]) == ("closed", "10.00", 1)
    assert (after["digest"], after["price_book_number"]) == (complete["digest"], 1)
    assert client.items(LINES) == lines
    assert told(client, "&reckoned=true")["total"] == "110.00"
    assert told(client, "&number=1")["total"] == "11.00"


def test_a_correction_credits_the_charge_and_makes_a_new_one_in_the_same_period(
    client: Client,
) -> None:
    close(client)
    hold(client, "late", 1, 10, day=2)
    publish(client, DEARER)
    corrected = correct(client).json()
    assert (corrected["state"], corrected["number"], corrected["reason"]) == (
        "corrected",
        2,
        "a late release",
    )
    # By the prices that were charged, though there are newer ones.
    assert (corrected["credit"], corrected["charge"]["total"]) == ("-10.00", "11.00")
    whole = told(client)
    assert (whole["state"], whole["total"], whole["charge"]) == ("corrected", "11.00", 2)
    assert [(one["credit"], one["total"]) for one in whole["charges"]] == [
        (None, "10.00"),
        ("-10.00", "11.00"),
    ]
    first = told(client, "&charge=1")
    assert (first["state"], first["total"]) == ("closed", "10.00")
    assert [line["consumer_id"] for line in client.items(LINES + "&charge=1")] == ["web"]
    assert [line["consumer_id"] for line in client.items(LINES)] == ["web", "late"]
    assert correct(client, number=2).json()["charge"]["total"] == "110.00"
    missing = client.get(JANUARY + OF_ACME + "&charge=4")
    assert code_of(missing) == (404, "statement_not_found")


def test_what_cannot_be_closed_or_corrected_is_refused_and_nothing_is_charged(
    client: Client,
) -> None:
    assert code_of(correct(client)) == (404, "statement_not_found")
    assert close(client).status_code == 200
    assert code_of(correct(client)) == (409, "nothing_to_correct")
    for period in ("2026-01", "2026-01-15", "2025"):
        expected = (200, None) if period == "2025" else (409, "period_closed")
        answer = close(client, period)
        assert (answer.status_code, answer.json().get("code")) == expected
    assert code_of(close(client, "2999")) == (409, "period_not_over")
    assert code_of(close(client, "2026-13")) == (422, "bad_period")
    body = {"project_id": "acme", "price_book": "nobody"}
    assert code_of(client.post(f"{JANUARY}/close", body)) == (404, "price_book_not_found")
    assert [one["number"] for one in client.items("/v1/statements")] == [1, 1]


def test_a_statement_is_not_closed_where_something_has_no_price(client: Client) -> None:
    client.submit("gpu", {"kind": "units", "resource_class": "PGPU", "count": 1}, headers=at(2))
    assert code_of(close(client)) == (409, "no_price")
    assert client.items("/v1/statements") == []


def test_closing_again_with_the_same_key_answers_the_same_charge(client: Client) -> None:
    key = {"Idempotency-Key": "close-january"}
    first, again = close(client, headers=key), close(client, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


def test_closed_statements_are_listed_with_their_newest_charge(client: Client) -> None:
    publish(client, DEARER, "dear")
    for period, book, project in (
        ("2026-01", "standard", "acme"),
        ("2026-01", "dear", "acme"),
        ("2026-02", "standard", "acme"),
        ("2026-01", "standard", "nobody"),
    ):
        body = {"project_id": project, "price_book": book}
        assert client.post(f"/v1/statements/{period}/close", body).status_code == 200
    hold(client, "late", 1, 10, day=2)
    correct(client)
    rows = [
        (one["project_id"], one["price_book"], one["period"], one["charge"]["total"])
        for one in client.items("/v1/statements?limit=1")
    ]
    assert rows == [
        ("acme", "dear", "2026-01", "100.00"),
        ("acme", "standard", "2026-01", "11.00"),
        ("acme", "standard", "2026-02", "0"),
        ("nobody", "standard", "2026-01", "0"),
    ]
    assert len(client.items("/v1/statements?period=2026-01&price_book=standard")) == 2
    assert len(client.items("/v1/statements?project_id=nobody")) == 1


def test_a_statement_names_the_checkpoint_that_seals_its_position(client: Client) -> None:
    close(client)
    hold(client, "late", 1, 10, day=2)
    wait_until(lambda: told(client)["checkpoint"] is not None, "its position is sealed")
    statement = told(client)
    size = statement["checkpoint"]["size"]
    assert size >= statement["position"]
    assert client.get(f"/v1/proofs/checkpoint?size={size}").json() == statement["checkpoint"]


def test_a_line_names_the_events_that_it_follows_from(client: Client) -> None:
    (line,) = client.items(LINES)
    detail = client.get(f"{JANUARY}/lines/{line['number']}{OF_ACME}").json()
    events = detail.pop("events")
    assert detail == line
    request = events[1]["stream"]
    assert [(one["type"], one["stream"]) for one in events] == [
        ("price_book.published", "price_book:standard"),
        ("request.submitted", request),
        ("claim.granted", "claim:web"),
        ("request.placed", request),
        ("claim.released", "claim:web"),
    ]
    assert line["position"] in {one["position"] for one in events}
    missing = client.get(f"{JANUARY}/lines/2{OF_ACME}")
    assert code_of(missing) == (404, "line_not_found")
