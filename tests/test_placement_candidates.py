"""What an operator sets of the answers that list candidates."""

from __future__ import annotations

import uuid
from pathlib import Path

from starlette.testclient import TestClient

from tests.databases import sqlite_database
from tests.open_face import ADMIN, PROVIDERS, of_version, open_face

LATEST = ADMIN | of_version("latest")


def test_an_answer_has_at_most_as_many_candidates_as_the_operator_allows(tmp_path: Path) -> None:
    with open_face(
        sqlite_database(tmp_path / "data"),
        placement_max_candidates=2,
        placement_candidate_order="breadth-first",
    ) as http:
        for _ in range(3):
            host = create_provider(http)
            for _ in range(2):
                set_one_vcpu(http, create_provider(http, host))
        for query in ("resources=VCPU:1", "resources=VCPU:1&limit=5", "resources1=VCPU:1"):
            answer = http.get(f"allocation_candidates?{query}", headers=LATEST)
            assert len(answer.json()["allocation_requests"]) == 2, answer.text
        found = http.get("allocation_candidates?resources1=VCPU:1&limit=2", headers=LATEST)
        assert len(found.json()["provider_summaries"]) == 6, "two trees of three providers"


def create_provider(http: TestClient, parent: str | None = None) -> str:
    body = {"name": str(uuid.uuid4()), "parent_provider_uuid": parent}
    answer = http.post(PROVIDERS, json=body, headers=LATEST)
    assert answer.status_code == 200, answer.text
    created: str = answer.json()["uuid"]
    return created


def set_one_vcpu(http: TestClient, provider: str) -> None:
    body = {"inventories": {"VCPU": {"total": 1}}, "resource_provider_generation": 0}
    answer = http.put(f"{PROVIDERS}/{provider}/inventories", json=body, headers=LATEST)
    assert answer.status_code == 200, answer.text
