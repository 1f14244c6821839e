"""Traits and resource classes of Placement's API: one catalog for both APIs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.databases import ScratchDatabase
from tests.open_face import ADMIN, PROVIDERS, PlacementClient, error_of, of_version, open_face, uuid
from tests.open_service import served


@pytest.fixture
def placement(database: ScratchDatabase) -> Iterator[PlacementClient]:
    with open_face(database) as http:
        yield PlacementClient(http)


def detail_of(answer: httpx.Response) -> str:
    return str(error_of(answer)["detail"])


def test_a_custom_trait_is_known_to_both_apis_and_stays_while_it_is_used(
    placement: PlacementClient,
) -> None:
    assert placement.v1("PUT", "traits/CUSTOM_FAST").is_success
    placement.made("PUT", "traits/CUSTOM_IDLE")
    assert placement.v1("GET", "traits/CUSTOM_IDLE").status_code == 200
    body = {"id": uuid(1), "name": "host", "traits": ["CUSTOM_FAST"]}
    assert placement.v1("POST", "providers", body).status_code == 201
    custom = "traits?name=startswith:CUSTOM_"
    assert placement.get(custom)["traits"] == ["CUSTOM_FAST", "CUSTOM_IDLE"]
    assert placement.get(f"{custom}&associated=true")["traits"] == ["CUSTOM_FAST"]
    assert placement.get(f"{custom}&associated=false")["traits"] == ["CUSTOM_IDLE"]
    assert placement.get("traits?associated=true")["traits"] == ["CUSTOM_FAST"]
    in_use = placement.send("DELETE", "traits/CUSTOM_FAST")
    assert (in_use.status_code, "in use" in detail_of(in_use)) == (409, True)
    placement.made("DELETE", f"{PROVIDERS}/{uuid(1)}/traits")
    placement.made("DELETE", "traits/CUSTOM_FAST")
    assert placement.v1("GET", "traits/CUSTOM_FAST").status_code == 404
    assert placement.get("traits?associated=true")["traits"] == []


def test_a_class_is_renamed_before_1_7_as_long_as_nothing_is_of_it(
    placement: PlacementClient,
) -> None:
    placement.made("POST", "resource_classes", {"name": "CUSTOM_GOLD"}, minor=2)
    path = "resource_classes/CUSTOM_GOLD"
    renamed = placement.made("PUT", path, {"name": "CUSTOM_SILVER"}, minor=6)
    assert renamed["name"] == "CUSTOM_SILVER"
    assert placement.send("GET", path).status_code == 404
    assert placement.v1("GET", "resource-classes/CUSTOM_SILVER").status_code == 200
    placement.provider(1, CUSTOM_SILVER=1)
    in_use = placement.send("PUT", "resource_classes/CUSTOM_SILVER", {"name": "CUSTOM_TIN"}, 6)
    assert (in_use.status_code, "in use" in detail_of(in_use)) == (409, True)
    for name in ("CUSTOM_SILVER", "VCPU"):
        status = 409 if name.startswith("CUSTOM") else 400
        assert placement.send("DELETE", f"resource_classes/{name}").status_code == status


@pytest.mark.parametrize("path", ["traits/CUSTOM_NEW", "resource_classes/CUSTOM_NEW"])
def test_of_many_who_make_sure_of_a_name_one_makes_it(database: ScratchDatabase, path: str) -> None:
    headers = {**ADMIN, **of_version(39)}
    with served(database) as url, ThreadPoolExecutor(16) as threads:
        answers = threads.map(
            lambda _: httpx.put(f"{url}/placement/{path}", headers=headers).status_code, range(32)
        )
        assert Counter(answers) == {201: 1, 204: 31}


def test_a_name_does_not_end_in_a_line_break(placement: PlacementClient) -> None:
    answer = placement.send("POST", "resource_classes", {"name": "CUSTOM_A\n"})
    assert answer.status_code == 400
    assert "name must match pattern" in detail_of(answer)
