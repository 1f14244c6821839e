"""Who may call Placement's API: by token, role and policy, and from which web pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from tests.databases import sqlite_database
from tests.open_face import ADMIN, PROVIDERS, VARY, VERSION, error_of, of_version, open_face
from tests.open_service import Json

FORBIDDEN_ORIGIN, ORIGIN = "http://elsewhere.example", "http://dashboard.example"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with open_face(sqlite_database(tmp_path_factory.mktemp("face"))) as http:
        yield http


# --- Who may call ---------------------------------------------------------------------------------

WHO: dict[str, dict[str, str]] = {
    "nobody": {},
    "claims to be admin": {"x-roles": "admin", "x-user-id": "admin", "x-project-id": "acme"},
    "admin by name": {"x-auth-token": "admin"},
    "admin by role": {"x-auth-token": "ada:acme", "x-roles": "reader, admin"},
    "service": {"x-auth-token": "nova:service", "x-roles": "service"},
    "reader": {"x-auth-token": "ada:acme", "x-roles": "reader"},
    "reader by name": {"x-auth-token": "acme", "x-roles": "reader"},
    "admin without roles": {"x-auth-token": "admin", "x-roles": ""},
    "system admin": {
        "x-auth-token": "ada:acme",
        "x-roles": "admin,reader",
        "openstack-system-scope": "all",
    },
    "system service": {
        "x-auth-token": "nova",
        "x-roles": "service",
        "openstack-system-scope": "all",
    },
}
CALLS = [
    ("GET", ""),
    ("GET", "resource_providers"),
    ("GET", "usages?project_id=acme"),
    ("GET", "usages?project_id=other"),
    # The empty body makes no sense to those who may call.
    ("POST", "reshaper"),
]
ALLOWED = """
                     /    providers  own usages  others' usages  reshaper
legacy
nobody               200  401        401         401             401
claims to be admin   200  401        401         401             401
admin by name        200  200        200         200             400
admin by role        200  200        200         200             400
service              200  200        200         200             400
reader               200  403        200         403             403
reader by name       200  403        200         403             403
admin without roles  200  403        403         403             403
system admin         200  403        403         403             403
system service       200  403        403         403             403
secure
nobody               200  401        401         401             401
claims to be admin   200  401        401         401             401
admin by name        200  200        200         200             403
admin by role        200  200        200         200             403
service              200  200        200         200             400
reader               200  403        200         403             403
reader by name       200  403        200         403             403
admin without roles  200  403        403         403             403
system admin         200  403        403         403             403
system service       200  403        403         403             403
everyone
nobody               200  401        401         401             401
claims to be admin   200  401        401         401             401
admin by name        200  200        200         200             400
admin by role        200  200        200         200             400
service              200  200        200         200             400
reader               200  200        200         200             400
reader by name       200  200        200         200             400
admin without roles  200  200        200         200             400
system admin         200  200        200         200             400
system service       200  200        200         200             400
"""


@pytest.mark.parametrize("policy", ["legacy", "secure", "everyone"])
def test_who_may_call_what_is_a_setting(tmp_path: Path, policy: str) -> None:
    with open_face(sqlite_database(tmp_path / "data"), placement_policy=policy) as face:
        found = {
            who: [_status(face, headers, call) for call in CALLS] for who, headers in WHO.items()
        }

    assert found == _table(policy)


def _status(face: TestClient, who: dict[str, str], call: tuple[str, str]) -> int:
    body: Json | None = {} if call[0] == "POST" else None
    answer: httpx.Response = face.request(*call, headers=who | of_version("latest"), json=body)
    return answer.status_code


def _table(policy: str) -> dict[str, list[int]]:
    (block,) = re.findall(rf"^{policy}\n((?:.+ .+\n)+)", ALLOWED, re.MULTILINE)
    rows = (re.split(r" {2,}", line) for line in block.splitlines())
    return {who: [int(status) for status in statuses] for who, *statuses in rows}


def test_those_who_may_not_are_told_which_rule_forbids_it(face: TestClient) -> None:
    answer = face.get(PROVIDERS, headers=WHO["reader"] | of_version("latest"))

    error = error_of(answer)
    assert (answer.status_code, error["title"]) == (403, "Forbidden")
    assert "does not allow placement:resource_providers:list to be" in str(error["detail"])
    assert (answer.headers[VERSION], VARY in answer.headers) == ("placement 1.39", False)


def test_those_who_are_not_known_are_told_nothing_of_versions(face: TestClient) -> None:
    answer = face.get(PROVIDERS, headers=of_version("latest"))

    assert (answer.status_code, answer.json()["code"]) == (401, "401 Unauthorized")
    assert not {VERSION, VARY} & set(answer.headers)


# --- Browsers -------------------------------------------------------------------------------------


def asks(origin: str, *headers: str) -> dict[str, str]:
    asked = {"access-control-request-headers": ", ".join(headers)} if headers else {}
    return {"origin": origin, "access-control-request-method": "GET"} | asked


@pytest.fixture(scope="module")
def open_to_browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    database = sqlite_database(tmp_path_factory.mktemp("browsers"))
    with open_face(database, placement_cors_origins=f"{ORIGIN}, http://third.example") as http:
        yield http


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        (asks(ORIGIN), True),
        (asks("http://third.example"), True),
        (asks(ORIGIN, "OpenStack-API-Version", "X-Auth-Token"), True),
        (asks(ORIGIN, "X-Forged"), False),
        (asks(FORBIDDEN_ORIGIN), False),
        (asks(FORBIDDEN_ORIGIN, "OpenStack-API-Version"), False),
    ],
)
@pytest.mark.parametrize("path", ["", PROVIDERS])
def test_browsers_are_told_before_they_call_whether_they_may(
    open_to_browsers: TestClient, path: str, headers: dict[str, str], *, is_allowed: bool
) -> None:
    answer = open_to_browsers.options(path, headers=headers)

    assert answer.status_code == 200
    told = {name for name in answer.headers if name.startswith("access-control-")}
    assert bool(told) == is_allowed
    if is_allowed:
        assert answer.headers["access-control-allow-origin"] == headers["origin"]
        assert "GET" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("path", "who", "status", "vary"),
    [
        (PROVIDERS, ADMIN, 200, "openstack-api-version, origin"),
        (PROVIDERS, {}, 401, "origin"),
        ("barnabas", ADMIN, 404, "origin"),
    ],
)
def test_an_answer_may_be_read_by_allowed_origins_alone(
    open_to_browsers: TestClient, path: str, who: dict[str, str], status: int, vary: str
) -> None:
    allowed = open_to_browsers.get(path, headers=who | {"origin": ORIGIN})
    others = open_to_browsers.get(path, headers=who | {"origin": FORBIDDEN_ORIGIN})

    assert (allowed.status_code, others.status_code) == (status, status)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert allowed.headers[VARY] == vary
    assert "access-control-allow-origin" not in others.headers


def test_browsers_may_not_call_as_long_as_no_origin_is_named(face: TestClient) -> None:
    asked = face.options("", headers=asks(ORIGIN))
    called = face.get("", headers={"origin": ORIGIN})

    assert (asked.status_code, called.status_code) == (405, 200)
    assert "access-control-allow-origin" not in {**asked.headers, **called.headers}
