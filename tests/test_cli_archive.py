"""`tally archive` on the database itself, as a person runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.application import app
from tests.databases import ScratchDatabase, sqlite_database
from tests.open_ledger import OpenLedger, settings_from
from tests.open_service import cpus, open_service
from tests.projected_log import random_log


@pytest.fixture
def written(tmp_path: Path) -> ScratchDatabase:
    """A small ledger that no service runs on."""
    random_log(tmp_path / "data", 5, 60)
    return sqlite_database(tmp_path / "data")


def tally(*arguments: str, database: ScratchDatabase) -> Result:
    """In the test's own process: many commands run here, and each process needs a second."""
    return CliRunner().invoke(app, arguments, env=database.settings_environment)


def told(answer: Result) -> Any:
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


def verified(database: ScratchDatabase) -> Any:
    return told(tally("verify", "--json", database=database))


def test_a_log_is_archived_listed_verified_and_pruned(written: ScratchDatabase) -> None:
    before = verified(written)
    made = told(
        tally("archive", "create", "--until", "60", "--events-per-file", "25", "--json",
              database=written)
    )  # fmt: skip
    assert [(one["first"], one["last"]) for one in made["items"]] == [(1, 25), (26, 50), (51, 60)]
    assert told(tally("archive", "list", "--json", database=written)) == made
    proven = told(tally("archive", "verify", "--json", database=written))["items"]
    assert all(one["verified_at"] and one["pruned_at"] is None for one in proven)

    declined = tally("archive", "prune", database=written)
    assert declined.exit_code == 1
    assert "Delete" in declined.stderr
    assert "3 files" in declined.stderr
    assert told(tally("archive", "list", "--json", database=written))["items"] == proven

    pruned = told(tally("archive", "prune", "--yes", "--json", database=written))["items"]
    assert all(one["kept"] < one["events"] for one in pruned)
    assert all(one["pruned_at"].endswith("Z") for one in pruned)
    assert verified(written) == before
    assert "nothing to prune" in tally("archive", "prune", "--yes", database=written).stdout
    listed = tally("archive", "list", database=written).stdout
    assert made["items"][0]["file"] in listed


def test_what_cannot_be_done_is_said_and_nothing_is_deleted(written: ScratchDatabase) -> None:
    def refused(*arguments: str, code: int = 1) -> str:
        answer = tally("archive", *arguments, database=written)
        assert answer.exit_code == code
        assert "Traceback" not in answer.stderr
        return answer.stderr

    assert "the log ends at position" in refused("create", "--until", "100000")
    assert "nothing to archive" in refused("create", "--older-than", "36500")
    assert "one of" in refused("create", "--until", "5", "--older-than", "5", code=2)
    assert tally("archive", "create", "--older-than", "1", database=written).exit_code == 0
    assert "nothing to archive" in refused("create")

    file = next((written.data_directory / "archive").glob("*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    for arguments in (("verify",), ("prune", "--yes")):
        said = refused(*arguments)
        assert str(file) in said
        assert "Nothing was deleted" in said
    file.unlink()
    assert "the file is missing" in refused("prune", "--yes")
    assert tally("archive", "verify", "--mend", database=written).exit_code == 0
    assert file.read_bytes() == whole
    ledger = OpenLedger(settings_from(written.settings_environment))
    assert len(ledger.database.select_range(0, 10_000)) == ledger.log.head()
    ledger.close()


def test_there_must_be_a_ledger(tmp_path: Path) -> None:
    answer = tally("archive", "list", database=sqlite_database(tmp_path))
    assert answer.exit_code == 1
    assert "there is no ledger" in answer.stderr


def test_a_running_service_goes_on_over_a_pruned_log(database: ScratchDatabase) -> None:
    with open_service(database) as service:
        service.provider("host", cpus=8, gpus=1)
        for consumer in ("a", "b", "a"):
            assert service.submit(consumer, cpus(2)).json()["status"] == "placed"
            service.delete(f"/v1/claims/{consumer}")
        history = service.items("/v1/history?raw=true")
        assert tally("archive", "create", database=database).exit_code == 0
        assert tally("archive", "prune", "--yes", database=database).exit_code == 0

        assert service.items("/v1/history?raw=true") == history
        assert service.submit("a", cpus(3)).json()["status"] == "placed"
    before = verified(database)
    with open_service(database) as service:
        assert service.items("/v1/history?raw=true")[: len(history)] == history
        assert service.submit("b", cpus(8)).json()["status"] == "refused"
        assert service.submit("b", cpus(5)).json()["status"] == "placed"
    assert before["ok"]
    assert verified(database)["ok"]
