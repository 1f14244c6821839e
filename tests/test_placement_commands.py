"""Each command of `openstack`'s plugin for Placement, typed once, without Keystone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli_processes import serving
from tests.databases import sqlite_database
from tests.placement.suite_environment import environment, installed

pytestmark = [pytest.mark.placement, pytest.mark.slow]

VERSION = "1.39"
HOST, CONSUMER = "6f5e4d3c-0000-4000-8000-000000000001", "6f5e4d3c-0000-4000-8000-000000000002"
RACK = "6f5e4d3c-0000-4000-8000-000000000003"
COMMANDS = f"""
resource provider create host --uuid {HOST}                                        | "generation": 0
resource provider list --name host                                                 | {HOST}
resource provider set {HOST} --name host-1                                         | host-1
resource provider show {HOST}                                                      | host-1
resource class create CUSTOM_FPGA                                                  |
resource class set CUSTOM_FPGA                                                     |
resource class show CUSTOM_FPGA                                                    | CUSTOM_FPGA
resource class list                                                                | CUSTOM_FPGA
resource provider inventory set {HOST} --resource VCPU=8 --resource CUSTOM_FPGA=2  | "total": 8
resource provider inventory class set {HOST} VCPU --total 16                       | "total": 16
resource provider inventory show {HOST} VCPU                                       | "total": 16
resource provider inventory list {HOST}                                            | CUSTOM_FPGA
trait create CUSTOM_SSD                                                            |
trait show CUSTOM_SSD                                                              | CUSTOM_SSD
trait list --name startswith:CUSTOM_                                               | CUSTOM_SSD
resource provider trait set {HOST} --trait CUSTOM_SSD                              | CUSTOM_SSD
resource provider trait list {HOST}                                                | CUSTOM_SSD
resource provider aggregate set {HOST} --aggregate {RACK} --generation 3           | {RACK}
resource provider aggregate list {HOST}                                            | {RACK}
allocation candidate list --resource VCPU=2 --required CUSTOM_SSD                  | VCPU=2
resource provider allocation set {CONSUMER} --allocation rp={HOST},VCPU=2,CUSTOM_FPGA=1 \
  --project-id shop --user-id ada --consumer-type INSTANCE                         | "VCPU": 2
resource provider allocation show {CONSUMER}                                       | "VCPU": 2
resource provider usage show {HOST}                                                | "usage": 2
resource usage show shop                                                           | "VCPU": 2
resource provider allocation unset {CONSUMER} --resource-class CUSTOM_FPGA         | "VCPU": 2
resource provider allocation delete {CONSUMER}                                     |
resource provider inventory delete {HOST}                                          |
resource provider trait delete {HOST}                                              |
trait delete CUSTOM_SSD                                                            |
resource class delete CUSTOM_FPGA                                                  |
resource provider delete {HOST}                                                    |
"""
"""What is typed, and what the answer has in it."""


def rows() -> list[tuple[list[str], str]]:
    """The table's rows; a line may go on below."""
    lines = COMMANDS.replace("\\\n", "").strip().splitlines()
    return [(line.split("|")[0].split(), line.split("|")[1].strip()) for line in lines]


def commands_of_the_plugin(python: Path) -> set[str]:
    told = "from importlib.metadata import entry_points as e; "
    told += "print(*e(group='openstack.placement.v1').names)"
    names = subprocess.check_output([str(python), "-c", told], text=True).split()
    return {name.replace("_", " ") for name in names}


def test_every_command_of_the_plugin_works(tmp_path: Path) -> None:
    python, wrong = installed(), []
    with serving(sqlite_database(tmp_path / "data"), "--empty") as service:
        given = ["--os-auth-type", "admin_token", "--os-token", "admin"]
        given += [
            "--os-endpoint",
            f"{service.url}/placement",
            "--os-placement-api-version",
            VERSION,
        ]
        for words, expected in rows():
            has_answer = ["-f", "json"] if expected else []
            answer = subprocess.run(
                [str(python.parent / "openstack"), *given, *words, *has_answer],
                env=environment(python), capture_output=True, text=True, check=False,
            )  # fmt: skip
            if answer.returncode != 0 or expected not in answer.stdout:
                wrong.append(f"{' '.join(words)}: {answer.stdout}{answer.stderr}")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_no_command_of_the_plugin_is_left_out() -> None:
    typed = [" ".join(words) for words, _ in rows()]
    plugin = commands_of_the_plugin(installed())
    assert {name for name in plugin if not any(one.startswith(name) for one in typed)} == set()
