"""`tally serve`, `demo` and `import` against the real service, on both engines."""

import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.cli import demo_cloud
from scripts.cli.client import ServiceClient, Write
from scripts.cli.prices_example import example
from tests.cli_processes import ROOT, TALLY, environment, serving, tally, told
from tests.databases import ScratchDatabase, sqlite_database

# --- serve and demo -------------------------------------------------------------------------------


def test_a_new_service_has_a_demo_cloud_with_something_of_everything(
    database: ScratchDatabase,
) -> None:
    with serving(database) as service:
        service.wait_for_line("The demo cloud is loaded")
        with ServiceClient(service.url) as client:
            requests = list(client.pages("/v1/requests"))
            providers = list(client.pages("/v1/providers"))
        position = service.position()
        again = tally("demo", "--json", "--url", service.url)
        capacity = told(tally("capacity", "--json", "--url", service.url))
        totals = told(tally("capacity", "--totals", "--json", "--url", service.url))
        history = told(tally("history", "--consumer", "batch-1", "--json", "--url", service.url))
        bills = [bill_of(project, service.url) for project in ("shop", "research")]

        assert {request["status"] for request in requests} == {"placed", "held", "refused"}
        names = {provider["name"] for provider in providers}
        assert names == set(told(again)["providers"])
        assert len(names) >= 11
        assert service.position() == position, "loading the demo cloud again wrote something"
        assert {item["kind"] for item in capacity["items"]} == {"divisible", "discrete"}
        gpus = next(one for one in totals["items"] if one["resource_class"] == "PGPU")
        assert (gpus["capacity"], gpus["usage"]) == (6000, 3000)
        assert "claim.released" in {event["type"] for event in history["items"]}
        assert {line["status"] for line in bills[0]["lines"]} == {"claim", "hold"}
        assert {"PGPU", "flavor metal-large"} < {line["resource"] for line in bills[1]["lines"]}


def bill_of(project: str, url: str) -> Any:
    """Of this month, by the price book that comes with the demo cloud."""
    month = f"{datetime.now(UTC):%Y-%m}"
    return told(tally("bill", project, month, "--prices", "standard", "--json", "--url", url))


def test_a_demo_cloud_that_broke_off_is_completed_at_the_next_start(
    database: ScratchDatabase,
) -> None:
    with serving(database, "--empty") as service:
        with ServiceClient(service.url) as client:
            for write in demo_cloud.writes()[:12]:
                client.write(write)
        service.kill()
    with serving(database) as service:
        service.wait_for_line("The demo cloud is loaded")
        with ServiceClient(service.url) as client:
            assert len(list(client.pages("/v1/providers"))) == len(demo_cloud.providers())


def test_a_ledger_of_ones_own_gets_no_demo_cloud(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path / "data")
    file = tmp_path / "mine.json"
    file.write_text('[{"name": "mine"}]')
    with serving(database, "--empty") as service:
        assert tally("import", str(file), "--url", service.url).returncode == 0
    with serving(database) as service, ServiceClient(service.url) as client:
        # The demo cloud would be asked for within this time; nothing tells that it is not.
        time.sleep(1)
        assert [provider["name"] for provider in client.pages("/v1/providers")] == ["mine"]


def test_the_demo_cloud_leaves_a_price_book_of_ones_own_alone(tmp_path: Path) -> None:
    mine = {**example(), "currency": "CHF"}
    database = sqlite_database(tmp_path / "data")
    with serving(database, "--empty") as service, ServiceClient(service.url) as client:
        client.write(Write("PUT", demo_cloud.PRICE_BOOK, mine))
        assert tally("demo", "--url", service.url).returncode == 0
        assert client.get(demo_cloud.PRICE_BOOK)["currency"] == "CHF"


def test_a_taken_port_and_a_taken_folder_are_explained(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path / "data")
    with serving(database, "--empty") as service:
        port = tally("serve", "--port", str(service.port), database=database)
        folder = tally("serve", "--port", "0", database=database)

    assert port.returncode == folder.returncode == 1
    assert f"cannot listen on 127.0.0.1:{service.port}" in port.stderr
    assert "--port" in port.stderr
    assert "another process already serves" in folder.stderr
    assert "Traceback" not in port.stderr + folder.stderr


def test_a_projector_of_its_own_serves_a_service_without_one(database: ScratchDatabase) -> None:
    with serving(database, "--empty", "--no-projector") as service:
        command = [*TALLY, "project"]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment(database), stdout=subprocess.PIPE, text=True
        ) as projector:
            assert tally("demo", "--url", service.url).returncode == 0
            # This read waits until the projector has followed all that was written.
            report = told(tally("capacity", "--json", "--url", service.url))
            assert projector.stdout is not None
            said = [projector.stdout.readline() for _ in range(2)]
            projector.terminate()

    assert report["items"]
    assert said[0].startswith("Projecting ")
    assert said[1].startswith("capacity ")


# --- import ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_import_adds_and_changes_and_takes_nothing_away(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    hosts, gpus, bad = tmp_path / "hosts.csv", tmp_path / "gpus.csv", tmp_path / "bad.csv"
    hosts.write_text(
        "provider,parent,resource_class,total,allocation_ratio,traits\n"
        "cell,host,VCPU,32,4.0,HW_NUMA_ROOT\n"
        "host,,CUSTOM_FANS,4,,CUSTOM_QUIET\n"
    )
    gpus.write_text("provider,resource_class,unit,capacity,attr.model\nhost,PGPU,gpu0,1000,T4\n")
    bad.write_text("provider,parent\nlost,nobody\n")
    with serving(database, "--empty") as service:

        def imported(*arguments: str) -> dict[str, list[str]]:
            report = told(tally("import", *arguments, "--json", "--url", service.url))
            return {name: report[name] for name in ("new", "changed", "unchanged")}

        dry = imported(str(hosts), "--dry-run")
        assert dry == {"new": ["host", "cell"], "changed": [], "unchanged": []}
        assert service.position() == 0
        assert imported(str(hosts)) == dry
        again = {"new": [], "changed": [], "unchanged": ["host", "cell"]}
        assert imported(str(hosts)) == again
        assert imported(str(gpus)) == {"new": [], "changed": ["host"], "unchanged": []}
        assert imported(str(hosts)) == again

        position = service.position()
        refused = tally("import", str(bad), "--url", service.url)
        assert refused.returncode == 1
        assert "bad.csv:2: the parent nobody is neither in the files nor" in refused.stderr
        assert service.position() == position

        with ServiceClient(service.url) as client:
            (host,) = client.pages("/v1/providers", name="host")
            (cell,) = client.pages("/v1/providers", name="cell")
    assert cell["parent_id"] == host["id"]
    assert set(host["inventories"]) == {"CUSTOM_FANS", "PGPU"}
    assert host["traits"] == ["CUSTOM_QUIET"]


def test_a_provider_that_was_deleted_is_imported_anew(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "hosts.json"
    file.write_text('[{"name": "gone"}]')
    with serving(database, "--empty") as service, ServiceClient(service.url) as client:
        assert tally("import", str(file), "--url", service.url).returncode == 0
        (gone,) = client.pages("/v1/providers", name="gone")
        client.write(Write("DELETE", f"/v1/providers/{gone['id']}"))
        assert tally("import", str(file), "--url", service.url).returncode == 0
        (again,) = client.pages("/v1/providers", name="gone")

    assert again["id"] == gone["id"]
    assert again["version"] > gone["version"], "its history goes on"


@pytest.mark.slow
def test_a_change_that_somebody_undid_is_imported_again(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "hosts.csv"
    with serving(database, "--empty") as service, ServiceClient(service.url) as client:
        for total in (8, 16, 8, 16):
            file.write_text(f"provider,resource_class,total\nhost,VCPU,{total}\n")
            assert tally("import", str(file), "--url", service.url).returncode == 0
            (host,) = client.pages("/v1/providers", name="host")
            assert host["inventories"]["VCPU"]["total"] == total
