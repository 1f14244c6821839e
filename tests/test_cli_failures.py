"""What `tally` says when something is wrong: exit codes, remedies, and never a traceback."""

import json
from pathlib import Path

import pytest

from tests.cli_processes import NOBODY, serving, tally, told
from tests.databases import ScratchDatabase


@pytest.mark.parametrize(
    "command",
    ["demo", "capacity", "history", "projections", "replay", "import", "prices", "bill"],
)
def test_without_a_service_a_command_says_how_to_start_one(command: str, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('[{"name": "one"}]')
    (tmp_path / "x_node_list_all_node.csv").write_text("sn,cpu_milli,memory_mib,gpu,model\n")
    (tmp_path / "x_pod_list_default.csv").write_text(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time\n"
    )
    argument = {
        "replay": [str(tmp_path)],
        "import": [str(tmp_path / "one.json")],
        "prices": ["list"],
        "bill": ["acme", "2026-01", "--prices", "standard"],
    }.get(command, [])
    answer = tally(command, *argument, "--url", NOBODY)

    assert answer.returncode == 1
    assert f"no service answers at {NOBODY}" in answer.stderr
    assert "tally serve" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", "--from", "yesterday"],
        ["capacity", "--totals", "--provider", "x"],
        ["serve", "--port", "123456"],
        ["replay"],
        ["import"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert tally(*arguments).returncode == 2


def test_verify_makes_no_ledger_where_there_is_none(tmp_path: Path) -> None:
    answer = tally("verify", "--data", str(tmp_path / "nowhere"))

    assert answer.returncode == 1
    assert "there is no ledger in" in answer.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    wrong = ScratchDatabase(
        engine="sqlite",
        settings_environment={"TALLYSTICK_DATA": "x", "TALLYSTICK_CLIENT_TIME": "perhaps"},
    )
    answer = tally("verify", database=wrong)

    assert answer.returncode == 1
    assert "TALLYSTICK_CLIENT_TIME" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_doctor_finds_a_running_service_well(database: ScratchDatabase) -> None:
    with serving(database) as service:
        service.wait_for_line("The demo cloud is loaded")
        report = told(tally("doctor", "--json", "--url", service.url, database=database))

    assert report["ok"]
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert verdicts["engine"] == verdicts["database"] == verdicts["last event"] == "ok"
    assert any(name.startswith("projection ") for name in verdicts)


def test_doctor_without_a_service_still_looks_at_the_machine(tmp_path: Path) -> None:
    answer = tally("doctor", "--json", "--data", str(tmp_path), "--url", NOBODY)
    report = json.loads(answer.stdout)
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}

    assert answer.returncode == 1
    assert (verdicts["python"], verdicts["data folder"], verdicts["service"]) == (
        "ok",
        "ok",
        "fail",
    )
    assert all(check["remedy"] for check in report["checks"] if check["verdict"] != "ok")
