"""`tally replay` against the real service, through kills of both, on both engines."""

import signal
import subprocess
from pathlib import Path

import pytest

from scripts.cli.client import ServiceClient
from tests.cli_processes import ROOT, TALLY, environment, serving, tally, told, wait_until
from tests.databases import ScratchDatabase, sqlite_database
from tests.small_trace import write_small_trace


def digest(database: ScratchDatabase) -> str:
    report = told(tally("verify", "--json", database=database))
    assert report["ok"], report["problems"]
    return str(report["digest"])


def test_a_replay_counts_what_the_service_answered(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    trace = write_small_trace(tmp_path / "trace")
    with serving(database, "--empty") as service:
        report = told(tally("replay", str(trace), "--json", "--url", service.url))
        with ServiceClient(service.url) as client:
            refused = len(list(client.pages("/v1/requests", status="refused")))
            listed = client.pages("/v1/claims")
            claims = sum(claim["status"] == "active" for claim in listed)

    assert (report["nodes"], report["pods"]) == (6, 240)
    assert report["placed"] + report["refused"] == 240
    assert report["refused"] == refused > 0
    assert report["released"] + report["still_held"] == report["placed"]
    assert report["released"] > 0 < report["still_held"]
    assert claims == report["still_held"]
    for peak in report["peak"].values():
        assert 0 < peak["usage"] <= peak["capacity"]
    for reason in report["refused_by_reason"]:
        assert reason["code"]
        assert 0 < reason["pods"] <= refused


@pytest.mark.slow
def test_a_limited_replay_is_continued_with_a_greater_limit(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path / "data")
    trace = write_small_trace(tmp_path / "trace")
    with serving(database, "--empty") as service:

        def replayed(*options: str) -> tuple[int, int]:
            report = told(tally("replay", str(trace), "--json", "--url", service.url, *options))
            return report["pods"], service.position()

        pods, after_some = replayed("--limit", "50")
        assert pods == 50
        assert replayed("--limit", "50") == (50, after_some)
        pods, after_all = replayed()
        assert pods == 240
        assert after_all > after_some
        assert replayed() == (240, after_all)


@pytest.mark.slow
def test_a_replay_through_kills_ends_in_the_state_of_one_without(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    trace = write_small_trace(tmp_path / "trace")
    undisturbed = sqlite_database(tmp_path / "undisturbed")
    with serving(undisturbed, "--empty") as service:
        whole = told(tally("replay", str(trace), "--json", "--url", service.url))
        end = service.position()

    command = [*TALLY, "replay", str(trace), "--json"]
    with serving(database, "--empty") as service:
        command += ["--url", service.url]
        first = subprocess.Popen(command, cwd=ROOT, env=environment(None))
        wait_until(lambda: service.position() > end // 4, "a quarter was replayed")
        service.kill()
        # The replay waits for the service, which comes back at the same place.
        with serving(database, "--empty", port=service.port) as second:
            wait_until(lambda: second.position() > end // 2, "half was replayed")
            # Now the replay itself is killed, and another one goes on.
            first.send_signal(signal.SIGKILL)
            first.wait(timeout=30)
            assert second.position() < end
            again = told(tally("replay", str(trace), "--json", "--url", second.url))
            assert second.position() == end

    changing = ("requests_per_second", "wall_seconds")
    assert {k: v for k, v in again.items() if k not in changing} == {
        k: v for k, v in whole.items() if k not in changing
    }
    assert digest(database) == digest(undisturbed)


def test_a_replay_gives_up_when_its_patience_ends(tmp_path: Path) -> None:
    trace = write_small_trace(tmp_path / "trace")
    with serving(sqlite_database(tmp_path / "data"), "--empty") as service:
        command = [*TALLY, "replay", str(trace), "--patience", "0.3", "--url", service.url]
        replay = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: service.position() > 50, "the replay was under way")
        service.kill()
        _, errors = replay.communicate(timeout=30)

    assert replay.returncode == 1
    assert "waiting up to 0.3 s for the service" in errors
    assert "the service stayed away for 0.3 s" in errors
    assert "Traceback" not in errors
