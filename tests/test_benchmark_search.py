"""The benchmarks of choosing measure what they say, and find all that they register."""

from __future__ import annotations

import csv
from pathlib import Path

from typer.testing import CliRunner

from domain.wish import Preference
from scripts.benchmarks import search_over_http, searching, view_costs
from scripts.benchmarks.__main__ import app
from scripts.benchmarks.stranding import NODES, Job, run_one
from scripts.benchmarks.stranding_report import marks, means

FIRST_FIT = Preference(policy="first_fit")


def silent(_: str) -> None:
    pass


def test_searches_are_timed_in_every_cloud_and_confirmed() -> None:
    found = searching.measure((200,), (FIRST_FIT, Preference(policy="pack")), 10, 1, silent)
    assert {(one.cloud, one.policy, one.what) for one in found} == {
        (cloud, policy, what)
        for cloud in ("flat", "nested", "shared")
        for policy in ("first_fit", "pack")
        for what in ("search", "confirmed")
    }
    assert all(0 < one.p50 <= one.p99 for one in found)


def test_devices_are_isolated_or_known_to_be_too_few() -> None:
    found = [(one.components, one.free_devices, one.fits) for one in searching.measure_isolated(1)]
    assert found == [(8, 8, True), (8, 7, False), (9, 8, False)]
    assert searching.measure_explained(100, 1) > 0


def test_the_view_is_loaded_and_followed(tmp_path: Path) -> None:
    costs = view_costs.measure(tmp_path, providers=100, claims=1_000, seed=1, events=1_000)
    assert (costs.providers, costs.claims) == (100, 1_000)
    assert costs.microseconds_per_event > 0


def test_a_running_service_is_asked_for_candidates(tmp_path: Path) -> None:
    found = search_over_http.measure(tmp_path, (20,), rounds=10, seed=1, say=silent)
    assert [one.what for one in found] == ["noop", "candidates", "refusal explained"]


def trace(folder: Path) -> Path:
    """Two sorts of nodes, and pods that want halves of GPUs."""
    nodes = [("a", 8000, 65536, 2, "T4"), ("b", 16000, 65536, 2, "V100")]
    pods = []
    for number in range(6):
        part, models = 500 if number % 2 else 1000, "T4" if number % 5 == 0 else ""
        pods.append((f"pod-{number}", 1000 + 500 * (number % 3), 4096, 1, part, models))
    with (folder / NODES).open("w", newline="") as file:
        csv.writer(file).writerows([("sn", "cpu_milli", "memory_mib", "gpu", "model"), *nodes])
    head = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec")
    with (folder / "openb_pod_list_default.csv").open("w", newline="") as file:
        more = ("qos", "creation_time", "deletion_time")
        csv.writer(file).writerows([(*head, *more), *((*pod, "LS", 0, 10) for pod in pods)])
    return folder


def test_pods_are_placed_until_nothing_fits(tmp_path: Path) -> None:
    job = Job(trace(tmp_path), "default", "least stranding", seed=1)
    run, again = run_one(job), run_one(job)
    assert (run.placed, run.allocated) == (again.placed, again.allocated)
    assert 0.5 < run.allocated <= 1
    ((name, _, said),) = marks(means([run]))
    assert "least stranding at least 95.4" in name
    assert "against 95.39" in said


def test_unknown_lists_and_policies_are_told() -> None:
    for option, said in (("--lists", "'x' is none of default"), ("--policies", "'x' is none of")):
        answer = CliRunner().invoke(app, ["stranding", ".", option, "x"])
        assert answer.exit_code == 2
        assert said in " ".join(answer.output.split())
