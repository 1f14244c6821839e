"""Webhooks: every event arrives, in order, whatever the receiver, the service or the disk do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.webhook_delivery import LONGEST_RETRY_SECONDS, retry_seconds
from infra.webhook_post import parcels
from tests.cli_processes import serving, tally, told, wait_until
from tests.databases import ScratchDatabase, postgresql_database, sqlite_database
from tests.open_ledger import OpenLedger
from tests.open_service import code_of, open_service, served
from tests.webhook_receiver import Answer, Receiver, receiving

Json = dict[str, Any]
SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes for the receiver").decode()


@pytest.fixture(autouse=True)
def no_proxy_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks heed the environment's proxies."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@contextmanager
def client_of(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
        yield http


def write(http: httpx.Client, *numbers: int) -> None:
    for number in numbers:
        answer = http.put(f"/v1/resource-classes/CUSTOM_{number}")
        assert answer.status_code == 201, answer.text


def put(http: httpx.Client, receiver: Receiver, name: str = "hook", **settings: Any) -> Json:
    answer = http.put(f"/v1/webhooks/{name}", json={"url": receiver.url, **settings})
    assert answer.is_success, answer.text
    status: Json = answer.json()
    return status


def status_of(http: httpx.Client, name: str = "hook") -> Json:
    status: Json = http.get(f"/v1/webhooks/{name}").json()
    return status


def caught_up(http: httpx.Client, name: str) -> Json:
    wait_until(lambda: status_of(http, name)["lag_events"] == 0, f"{name} has delivered all")
    return status_of(http, name)


def without_repetitions(positions: list[int]) -> list[int]:
    """In the order in which each came first."""
    return list(dict.fromkeys(positions))


KINDS = {
    "batch": "application/cloudevents-batch+json",
    "structured": "application/cloudevents+json",
}


def test_receivers_that_fail_in_every_way_get_every_event_in_order(
    database: ScratchDatabase,
) -> None:
    with (
        receiving() as batch,
        receiving() as structured,
        served(database, webhook_timeout_seconds=0.3) as url,
        client_of(url) as http,
    ):
        write(http, *range(10))
        for mode, receiver in (("batch", batch), ("structured", structured)):
            receiver.answers += [
                Answer(302, (("Location", "/elsewhere"),)),
                Answer(429, (("Retry-After", "1"),)),
                Answer(204, after_seconds=0.6),
            ]
            put(http, receiver, mode, mode=mode, position=0)
        write(http, *range(10, 20))
        for mode, receiver in (("batch", batch), ("structured", structured)):
            status = caught_up(http, mode)
            assert (status["position"], status["failures"], status["last_error"]) == (20, 0, None)
            assert {call.headers["content-type"] for call in receiver.calls} == {KINDS[mode]}

    for receiver in (batch, structured):
        assert without_repetitions(receiver.accepted()) == list(range(1, 21))
        moved, limited, after = receiver.calls[:3]
        assert moved.body == limited.body == after.body, "a retry is the same call"
        assert after.at - limited.at >= 1.0, "Retry-After was not heeded"
    assert all(len(call.events()) == 1 for call in structured.calls)


def test_what_is_delivered_is_what_the_feed_tells_and_the_signature_proves_it(
    database: ScratchDatabase,
) -> None:
    with receiving() as receiver, served(database) as url, client_of(url) as http:
        write(http, 1, 2)
        new = put(http, receiver, secret=SECRET)
        assert (new["position"], new["is_signed"]) == (2, True), "it begins at the head"
        write(http, 3, 4)
        # A change within an instant of a delivery would repeat what is not stored yet.
        wait_until(lambda: status_of(http)["position"] == 4, "the new events were delivered")
        kept = put(http, receiver)
        unsigned = put(http, receiver, secret=None)
        feed = http.get("/v1/events?after=2").json()["items"]
        all_told = http.get("/v1/webhooks").text + str([new, kept, unsigned])

    assert [event for call in receiver.calls for event in call.events()] == feed
    assert (kept["is_signed"], unsigned["is_signed"]) == (True, False)
    assert SECRET not in all_told
    for call in receiver.calls:
        signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode()
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, signed + call.body, hashlib.sha256).digest()
        assert call.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_an_operator_sees_what_is_wrong_and_pauses_resumes_and_removes(
    database: ScratchDatabase,
) -> None:
    with receiving() as receiver, served(database) as url, client_of(url) as http:
        receiver.answers += [Answer(503, (("Retry-After", "3600"),)), Answer(410)]
        write(http, 1)
        put(http, receiver, position=0)
        wait_until(lambda: status_of(http)["failures"] == 1, "the failure was told")
        waiting = status_of(http)
        assert "503" in waiting["last_error"]
        assert waiting["next_try_at"] > waiting["updated_at"]

        http.post("/v1/webhooks/hook/resume")  # Now, not in an hour; the receiver answers 410.
        wait_until(lambda: status_of(http)["state"] == "paused", "410 paused it")
        assert "410 Gone" in status_of(http)["last_error"]
        assert status_of(http)["lag_events"] == 1

        http.post("/v1/webhooks/hook/resume")
        wait_until(lambda: receiver.accepted() == [1], "it went on where it was")
        assert http.post("/v1/webhooks/hook/pause").json()["state"] == "paused"
        write(http, 2)
        put(http, receiver, mode="structured")
        assert status_of(http)["state"] == "paused", "a change does not resume it"
        assert http.delete("/v1/webhooks/hook").status_code == 204
        assert code_of(http.get("/v1/webhooks/hook")) == (404, "webhook_not_found")
        assert http.get("/v1/webhooks").json() == {"items": []}
    assert receiver.accepted() == [1]


def test_delivery_goes_on_where_it_was_after_the_service_was_killed(
    database: ScratchDatabase,
) -> None:
    with receiving() as receiver:
        with serving(database, "--empty") as service:
            made = tally(
                *("webhooks", "put", "hook", receiver.url, "--after", "0", "--json"),
                *("--url", service.url),
            )
            with client_of(service.url) as http:
                assert told(made)["state"] == "active"
                write(http, *range(30))
                wait_until(lambda: status_of(http)["position"] >= 20, "a position was stored")
                stored = status_of(http)["position"]
                write(http, *range(30, 40))
            service.kill()
        calls_before = len(receiver.calls)
        with serving(database, "--empty") as service, client_of(service.url) as http:
            write(http, *range(40, 50))
            wait_until(lambda: receiver.accepted()[-1:] == [50], "the rest was delivered")
            wait_until(lambda: status_of(http)["position"] == 50, "the last position was stored")
    assert without_repetitions(receiver.accepted()) == list(range(1, 51))
    assert receiver.calls[calls_before].positions()[0] > stored, "it began anew"


def test_of_two_services_one_delivers_and_the_other_takes_over(
    postgresql_server_url: str, tmp_path: Path
) -> None:
    with (
        receiving() as receiver,
        postgresql_database(postgresql_server_url, tmp_path) as database,
        served(database) as first,
        client_of(first) as http,
    ):
        put(http, receiver)
        with served(database) as second, client_of(second) as other:
            wait_until(lambda: status_of(other)["state"] == "active", "the second sees it")
            for number in range(20):
                write(http if number % 2 else other, number)
            wait_until(lambda: status_of(other)["position"] == 20, "all was delivered")
            assert receiver.accepted() == list(range(1, 21)), "two delivered at once"
            # Whoever delivers lets go of it now. If it is the second that begins again, it ends.
            other.post("/v1/webhooks/hook/pause")
            other.post("/v1/webhooks/hook/resume")
        write(http, 20)
        wait_until(lambda: receiver.accepted()[-1:] == [21], "the first delivers")
    # A delivery that has not seen the pause yet sends the last event, and the next one repeats it.
    assert without_repetitions(receiver.accepted()) == list(range(1, 22))


def test_a_batch_is_no_larger_than_receivers_take(
    ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        ledger.host(f"host-{number}")
    events = ledger.log.read(0, 100)
    whole = parcels(events, "batch", "/here")
    largest = len(whole[0].body) // 3
    monkeypatch.setattr("infra.webhook_post.LARGEST_BATCH", largest)
    split = parcels(events, "batch", "/here")
    monkeypatch.setattr("infra.webhook_post.LARGEST_BATCH", 1)
    alone = parcels(events, "batch", "/here")

    assert [one.id for one in whole] == [f"1-{len(events)}"]
    assert 2 < len(split) < len(events)
    assert [event for one in split for event in json.loads(one.body)] == json.loads(whole[0].body)
    assert [one.position for one in alone] == [recorded.position for recorded in events]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "ftp://host/"}, "invalid_body"),
        ({"url": "http://user:secret@host/"}, "invalid_body"),
        ({"url": "http:///path"}, "invalid_body"),
        ({"url": "http://host:99999/"}, "invalid_body"),
        ({"url": "http://[::1/"}, "invalid_body"),
        ({"url": "http://host/ path"}, "invalid_body"),
        ({"url": "http://host/", "mode": "binary"}, "invalid_body"),
        ({"url": "http://host/", "secret": "short"}, "invalid_body"),
        ({"url": "http://host/", "secret": "whsec_!!!!!!!!!!!!!!!!"}, "invalid_body"),
        ({"url": "http://host/", "position": -1}, "invalid_body"),
        ({"url": "http://host/", "position": 1}, "position_beyond_head"),
    ],
)
def test_settings_that_cannot_be_are_refused(body: Json, code: str, open_client: Any) -> None:
    assert code_of(open_client.put("/v1/webhooks/hook", body)) == (422, code)
    assert open_client.get("/v1/webhooks").json() == {"items": []}


@pytest.fixture(scope="module")
def open_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_service(sqlite_database(tmp_path_factory.mktemp("webhooks"))) as client:
        yield client


def test_there_is_a_limit_of_webhooks(open_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.webhooks.MOST_WEBHOOKS", 1)
    body = {"url": "http://127.0.0.1:9/"}
    assert open_client.put("/v1/webhooks/one", body).status_code == 201
    assert open_client.put("/v1/webhooks/one", body).status_code == 200
    assert code_of(open_client.put("/v1/webhooks/two", body)) == (409, "too_many_webhooks")
    assert open_client.delete("/v1/webhooks/one").status_code == 204


def test_retries_come_later_and_later_up_to_five_minutes() -> None:
    longest = [max(retry_seconds(failures) for _ in range(50)) for failures in range(1, 200)]
    assert longest[0] <= 0.25
    assert all(later > earlier for earlier, later in itertools.pairwise(longest[:9]))
    assert LONGEST_RETRY_SECONDS / 2 < min(longest[20:]) <= max(longest) <= LONGEST_RETRY_SECONDS
