"""What is stranded by the demand of late, now and before: what the live view says, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.times import to_micros
from projections.projection import Recorded
from projections.stranding import read_mixes, read_stranding, stranded_in
from tests.databases import ScratchDatabase, sqlite_database
from tests.open_service import Client, Json, code_of, cpus, open_service
from tests.past_books import PastBooks
from tests.projected_log import random_log
from tests.projected_reads import projected

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def service(database: ScratchDatabase) -> Iterator[Client]:
    with open_service(database) as client:
        yield client


def at(hours: float) -> dict[str, str]:
    return {"Tallystick-At": (NOON + timedelta(hours=hours)).isoformat()}


def gpu() -> Json:
    return {"kind": "units", "resource_class": "PGPU", "count": 1, "amount": 1000}


def host(service: Client, name: str, cpus: int) -> None:
    units = [{"name": f"gpu{n}", "capacity": 1000} for n in range(2)]
    inventories = {
        "VCPU": {"kind": "divisible", "total": cpus},
        "PGPU": {"kind": "discrete", "units": units},
    }
    body = {"name": name, "inventories": inventories}
    assert service.post("/v1/providers", body, headers=at(0)).status_code == 201


def test_gpus_without_cpus_beside_them_are_stranded_from_then_on(service: Client) -> None:
    """Everybody asks for a GPU and two CPUs; then somebody takes a host's CPUs."""
    host(service, "first", cpus=8)
    host(service, "second", cpus=8)
    jobs = [f"job-{number}" for number in range(4)]
    for name in jobs:
        assert service.submit(name, gpu(), cpus(2), headers=at(1)).json()["status"] == "placed"
    for name in jobs:
        service.delete(f"/v1/claims/{name}", headers=at(2))
    service.submit("greedy", cpus(7), headers=at(3))
    query = "from=2026-01-05T14:30:00Z&until=2026-01-05T16:00:00Z&step=hour"
    totals = service.get(f"/v1/stranding/totals?{query}").json()
    assert totals["resource_classes"] == ["PGPU"] * 3
    assert totals["free"] == [4000, 4000, 4000]
    # At 14:30 all is well; from 15:00 on the first host has one CPU for two GPUs.
    assert totals["stranded"] == [0, 2000, 2000]
    page = service.get(f"/v1/stranding?{query}&limit=1").json()
    assert (page["resource_class"], page["items"][0]["course"]) == ("PGPU", [0, 2000, 2000])
    rest = service.get(f"/v1/stranding?{query}&cursor={page['next']}").json()
    assert [(one["provider_name"], one["stranded"]) for one in rest["items"]] == [("second", 0)]
    now = service.get("/v1/stranding").json()
    assert [one["course"] for one in now["items"]] == [None, None]


def test_without_any_demand_nothing_is_stranded(service: Client) -> None:
    host(service, "first", cpus=8)
    assert service.get("/v1/stranding").json()["items"] == []
    assert service.get("/v1/stranding/totals").json()["resource_classes"] == [None]
    backwards = "from=2026-01-05T12:00:00Z&until=2026-01-04T12:00:00Z"
    assert code_of(service.get(f"/v1/stranding?{backwards}")) == (422, "bad_period")


def test_the_read_models_say_what_the_live_view_says(tmp_path: Path) -> None:
    log: list[Recorded] = random_log(tmp_path / "log", seed=4, steps=300)
    books = PastBooks()
    for recorded in log:
        books.show(recorded)
    newest = to_micros(max(recorded.event.at for recorded in log)) + 1
    with projected(sqlite_database(tmp_path / "read"), log) as connection:
        mixes = read_mixes(connection, [newest])
        (found,) = read_stranding(connection, [newest], mixes)
    books.view.mix.put(mixes[0])
    live = stranded_in(books.view)
    assert found.trees
    assert (found.resource_class, found.trees) == (live.resource_class, live.trees)
