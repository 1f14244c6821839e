"""Placement's API as a client meets it, whatever it asks for: versions, errors, and where it is.

Placement's own suite asks more, and takes minutes (`scripts/test -m placement`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.types import Scope

from api.house import Busy, House
from api.placement.face import PlacementFace
from api.placement.options import FaceOptions
from tests.cli_processes import Service
from tests.databases import sqlite_database
from tests.open_face import ADMIN, PROVIDERS, VARY, VERSION, error_of, of_version, open_face
from tests.open_service import served

SOMEBODY = "10000000-0000-4000-8000-000000000001"
PROVIDER = f"{PROVIDERS}/{SOMEBODY}"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with open_face(sqlite_database(tmp_path_factory.mktemp("face"))) as http:
        yield http


# --- Versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "minor"),
    [
        (None, 0),
        ("placement 1.0", 0),
        ("placement 1.39", 39),
        ("placement latest", 39),
        ("compute 2.1", 0),
        ("compute 2.1, placement 1.5, identity 3.0", 5),
        ("placement 1.2, placement 1.7", 7),
        ("Placement 1.3", 3),
    ],
)
def test_a_call_is_of_the_version_it_names_and_of_the_oldest_without(
    face: TestClient, asked: str | None, minor: int
) -> None:
    answer = face.get("", headers={} if asked is None else {VERSION: asked})

    assert answer.status_code == 200
    assert (answer.headers[VERSION], answer.headers[VARY]) == (f"placement 1.{minor}", VERSION)


@pytest.mark.parametrize(
    ("version", "status", "detail"),
    [
        ("1.40", 406, "Unacceptable version header: 1.40"),
        ("0.5", 406, "Unacceptable version header: 0.5"),
        ("2.0", 406, "Unacceptable version header: 2.0"),
        ("pony.horse", 400, "invalid version string: pony.horse"),
        ("1.2.3", 400, "invalid version string: 1.2.3"),
        ("1", 400, "invalid version string: 1"),
    ],
)
def test_a_version_that_there_is_not_is_refused(
    face: TestClient, version: str, status: int, detail: str
) -> None:
    answer = face.get("resource_providers", headers={**ADMIN, VERSION: f"placement {version}"})

    error = error_of(answer)
    assert (answer.status_code, str(error["detail"]).endswith(detail)) == (status, True)
    assert (error.get("min_version"), error.get("max_version")) == (
        ("1.0", "1.39") if status == 406 else (None, None)
    )
    assert VERSION not in answer.headers
    assert VARY not in answer.headers


def test_everybody_may_read_which_versions_there_are(face: TestClient) -> None:
    (version,) = face.get("").json()["versions"]

    assert version == {
        "id": "v1.0",
        "min_version": "1.0",
        "max_version": "1.39",
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }


@pytest.mark.parametrize("path", ["", "resource_providers", "traits", "resource_classes"])
def test_answers_say_from_1_15_on_when_what_they_show_was_changed(
    face: TestClient, path: str
) -> None:
    before = face.get(path, headers=ADMIN | of_version(14))
    since = face.get(path, headers=ADMIN | of_version(15))

    assert (before.status_code, since.status_code) == (200, 200)
    assert not {"last-modified", "cache-control"} & set(before.headers)
    assert since.headers["cache-control"] == "no-cache"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", since.headers["last-modified"])


# --- Errors ---------------------------------------------------------------------------------------

JSON, TEXT = {"content-type": "application/json"}, {"content-type": "text/plain"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "varies"),
    [
        ("GET", "barnabas", {}, None, 404, False),
        ("GET", f"{PROVIDERS}/", {}, None, 404, False),
        ("GET", f"{PROVIDER}/cows", {}, None, 404, False),
        ("GET", PROVIDER, {}, None, 404, False),
        ("GET", "traits", of_version(5), None, 404, True),
        ("GET", "allocation_candidates", of_version(9), None, 404, True),
        ("POST", PROVIDERS, JSON, b"{}", 400, True),
        ("POST", PROVIDERS, JSON, b"{", 400, True),
        ("POST", PROVIDERS, {}, b"{}", 400, False),
        ("POST", "barnabas", {}, b"{}", 400, False),
        ("POST", PROVIDERS, JSON | {"content-length": "many"}, b"{}", 400, False),
        ("GET", f"{PROVIDERS}?cows=1", {}, None, 400, True),
        ("GET", f"{PROVIDERS}?name=%FF", {}, None, 400, True),
        ("POST", PROVIDERS, TEXT, b"{}", 415, True),
        ("PUT", PROVIDER, {}, None, 415, True),
        ("GET", PROVIDERS, {"accept": "application/xml, application/json;q=0"}, None, 406, True),
    ],
)
def test_calls_that_make_no_sense_are_answered_as_placement_answers_them(
    face: TestClient,
    method: str,
    path: str,
    *,
    headers: dict[str, str],
    body: bytes | None,
    status: int,
    varies: bool,
) -> None:
    answer = face.request(method, path, headers={**ADMIN, **headers}, content=body)

    assert answer.status_code == status, answer.text
    assert answer.headers[VERSION].startswith("placement 1.")
    assert (answer.headers.get(VARY) == VERSION) == varies


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "", {"GET"}),
        ("HEAD", "", {"GET"}),
        ("OPTIONS", "", {"GET"}),
        ("DELETE", PROVIDERS, {"GET", "POST"}),
        ("OPTIONS", PROVIDERS, {"GET", "POST"}),
        ("HEAD", PROVIDERS, {"GET", "POST"}),
        ("PATCH", PROVIDER, {"GET", "PUT", "DELETE"}),
        ("GET", "reshaper", {"POST"}),
    ],
)
def test_a_method_that_a_path_has_not_is_told_those_it_has(
    face: TestClient, method: str, path: str, allow: set[str]
) -> None:
    answer = face.request(method, path, headers=ADMIN)

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allow


def test_errors_have_codes_from_1_23_on(face: TestClient) -> None:
    before = error_of(face.get("barnabas", headers=ADMIN | of_version(22)))
    since = error_of(face.get("barnabas", headers=ADMIN | of_version(23)))

    assert since.pop("code") == "placement.undefined_code"
    assert since.keys() == before.keys() == {"status", "title", "detail", "request_id"}
    assert since["title"] == "Not Found"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/html;q=0.5, application/*", "application/json"),
        ("text/html", "text/html"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "text/html"),
        ("image/png", "text/plain"),
    ],
)
def test_an_error_has_the_form_that_the_client_reads(
    face: TestClient, accept: str | None, form: str
) -> None:
    version = {VERSION: "placement 0.<b>"}
    headers = version if accept is None else {**version, "accept": accept}

    answer = face.get("", headers=headers)

    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (400, form)
    assert ("0.&lt;b&gt;" if form == "text/html" else "0.<b>") in answer.text


def test_each_answer_has_an_identifier_of_its_own(face: TestClient) -> None:
    calls = [("", {}), (PROVIDERS, {}), (PROVIDERS, ADMIN), ("barnabas", ADMIN)]
    answers = [face.get(path, headers=headers) for path, headers in calls]

    told = [answer.headers["x-openstack-request-id"] for answer in answers]
    assert [answer.status_code for answer in answers] == [200, 401, 200, 404]
    assert all(re.fullmatch(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in told)
    assert len(set(told)) == len(told)


def test_a_failure_of_the_service_is_told_as_an_error_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_scope: Scope) -> House:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        answer = TestClient(PlacementFace(FaceOptions(), broken)).get("/")

    assert (answer.status_code, error_of(answer)["title"]) == (500, "Internal Server Error")
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in answer.text


def test_a_busy_ledger_asks_to_come_again() -> None:
    def busy(_scope: Scope) -> House:
        raise Busy(retry_after_seconds=7)

    answer = TestClient(PlacementFace(FaceOptions(), busy)).get("/")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert error_of(answer)["title"] == "Service Unavailable"


# --- Where it is ----------------------------------------------------------------------------------


def test_under_the_service_its_addresses_begin_with_placement(tmp_path: Path) -> None:
    with served(sqlite_database(tmp_path / "data")) as url, httpx.Client(headers=ADMIN) as http:
        roots = [http.get(f"{url}/placement"), http.get(f"{url}/placement/")]
        created = http.post(f"{url}/placement/{PROVIDERS}", json={"name": "h", "uuid": SOMEBODY})
        shown = http.get(created.headers["location"]).json()
        version_1 = http.get(f"{url}/v1/providers/{SOMEBODY}")

    assert [root.json()["versions"][0]["id"] for root in roots] == ["v1.0", "v1.0"]
    assert created.headers["location"] == f"{url}/placement/{PROVIDER}"
    assert shown["links"][0] == {"rel": "self", "href": f"/placement/{PROVIDER}"}
    assert version_1.json()["name"] == "h"


def test_on_a_port_of_its_own_they_begin_at_the_root(tmp_path: Path) -> None:
    service = Service(sqlite_database(tmp_path / "data"), "--empty", "--placement-port", "0")
    with closing(service), httpx.Client(headers=ADMIN) as http:
        url = service.wait_for_line("Placement ").split()[-1]
        root = http.get(url)
        created = http.post(f"{url}/{PROVIDERS}", json={"name": "h", "uuid": SOMEBODY})
        shown = http.get(created.headers["location"]).json()
        version_1 = [http.get(f"{one}/v1/providers/{SOMEBODY}") for one in (service.url, url)]
        service.process.terminate()

    assert root.json()["versions"][0]["id"] == "v1.0"
    assert created.headers["location"] == f"{url}/{PROVIDER}"
    assert shown["links"][0] == {"rel": "self", "href": f"/{PROVIDER}"}
    assert [one.status_code for one in version_1] == [200, 404]


def test_answers_without_a_body_have_none_on_the_wire(tmp_path: Path) -> None:
    calls = [("HEAD", PROVIDERS), ("PUT", "traits/CUSTOM_FAST"), ("DELETE", "traits/CUSTOM_FAST")]
    found = []
    with (
        served(sqlite_database(tmp_path / "data")) as url,
        # One connection: what is left of an answer would be read as the next one's beginning.
        closing(HTTPConnection(urlsplit(url).netloc)) as connection,
    ):
        for method, path in calls:
            connection.request(method, f"/placement/{path}", headers=ADMIN | of_version(39))
            answer = connection.getresponse()
            found.append((answer.status, answer.read(), answer.headers["content-length"]))

    (head, *others) = found
    assert head[:2] == (405, b"")
    assert others == [(201, b"", "0"), (204, b"", None)]
