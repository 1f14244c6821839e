"""The replay's schedule is pure: what is sent, in which order, under which keys."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.cli.failure import Failure
from scripts.cli.replay_schedule import Step, provider, request, schedule
from scripts.cli.replay_trace import Node, Pod, Trace, read_trace

START = datetime(2023, 1, 1, tzinfo=UTC)
NODE_HEADER = "sn,cpu_milli,memory_mib,gpu,model"
POD_HEADER = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,"
    "creation_time,deletion_time,scheduled_time"
)


def a_node(name: str = "node-1", gpus: int = 0, model: str = "") -> Node:
    return Node(name=name, cpu_milli=32_000, memory_mib=65_536, gpus=gpus, model=model)


def a_pod(
    name: str,
    begins: int = 0,
    ends: int | None = None,
    *,
    gpus: int = 0,
    gpu_milli: int = 0,
    models: tuple[str, ...] = (),
    memory_mib: int = 1024,
) -> Pod:
    return Pod(
        name=name,
        cpu_milli=4000,
        memory_mib=memory_mib,
        gpus=gpus,
        gpu_milli=gpu_milli,
        models=models,
        qos="LS",
        creation_seconds=begins,
        deletion_seconds=ends,
    )


def a_trace(*pods: Pod, nodes: tuple[Node, ...] = (), digest: str = "d1") -> Trace:
    return Trace(nodes=nodes, pods=pods, digest=digest)


def pod_moves(steps: list[Step]) -> list[str]:
    return [f"{step.kind} {step.name}" for step in steps if step.kind in ("request", "release")]


def keys(steps: list[Step]) -> list[str | None]:
    return [step.write.key for step in steps]


def test_at_equal_times_releases_come_before_requests() -> None:
    steps = schedule(a_trace(a_pod("late", 50, 90), a_pod("early", 0, 50)), START)

    assert pod_moves(steps) == ["request early", "release early", "request late", "release late"]


def test_a_pod_that_begins_and_ends_at_once_is_requested_before_it_is_released() -> None:
    trace = a_trace(a_pod("old", 0, 10), a_pod("flash", 10, 10), a_pod("new", 10, 20))

    assert pod_moves(schedule(trace, START)) == [
        "request old",
        "release old",
        "request flash",
        "request new",
        "release flash",
        "release new",
    ]


def test_pods_of_one_moment_keep_the_files_order_and_the_file_need_not_be_sorted() -> None:
    trace = a_trace(a_pod("c", 7), a_pod("b", 3), a_pod("a", 3))

    assert pod_moves(schedule(trace, START)) == ["request b", "request a", "request c"]


def test_a_pod_without_deletion_is_never_released() -> None:
    assert pod_moves(schedule(a_trace(a_pod("stays", 5)), START)) == ["request stays"]


def test_the_ledgers_time_is_the_start_plus_the_traces_seconds() -> None:
    steps = schedule(a_trace(a_pod("p", 61, 3600), nodes=(a_node(),)), START)

    assert [(step.kind, step.write.at) for step in steps] == [
        ("define", "2023-01-01T00:00:00Z"),
        ("register", "2023-01-01T00:00:00Z"),
        ("request", "2023-01-01T00:01:01Z"),
        ("release", "2023-01-01T01:00:00Z"),
    ]


def test_times_never_run_backwards() -> None:
    pods = [a_pod(f"p{n}", (n * 37) % 100, (n * 37) % 100 + n % 5) for n in range(50)]
    moments = [step.write.at or "" for step in schedule(a_trace(*pods), START)]

    assert moments == sorted(moments)


def test_the_same_trace_gives_the_same_keys_and_every_step_has_its_own() -> None:
    trace = a_trace(a_pod("p", 0, 1), a_pod("q", 0, 1), nodes=(a_node(gpus=1, model="T4"),))
    steps = schedule(trace, START)

    assert keys(steps) == keys(schedule(trace, START))
    assert len(set(keys(steps))) == len(steps)


@pytest.mark.parametrize(
    ("digest", "start"), [("d2", START), ("d1", datetime(2023, 1, 2, tzinfo=UTC))]
)
def test_another_trace_or_another_start_shares_no_key(digest: str, start: datetime) -> None:
    ours = keys(schedule(a_trace(a_pod("p", 0, 1)), START))
    others = keys(schedule(a_trace(a_pod("p", 0, 1), digest=digest), start))

    assert not set(ours) & set(others)


def test_a_limited_schedule_is_the_beginning_of_the_whole_one() -> None:
    pods = [a_pod(f"p{n}", n, n + 3) for n in range(20)]
    whole = schedule(a_trace(*pods), START)
    limited = schedule(a_trace(*pods), START, limit=7)

    assert limited == whole[: len(limited)]
    assert sum(step.kind == "request" for step in limited) == 7
    assert whole[len(limited)].kind == "request"


def test_a_node_becomes_a_provider_with_shareable_gpus_and_a_trait_of_their_model() -> None:
    body = provider(a_node("node-7", gpus=2, model="V100M16"))

    assert body["name"] == "node-7"
    assert body["traits"] == ["CUSTOM_GPU_V100M16"]
    assert body["inventories"] == {
        "CUSTOM_CPU_MILLI": {"kind": "divisible", "total": 32_000},
        "MEMORY_MB": {"kind": "divisible", "total": 65_536},
        "PGPU": {
            "kind": "discrete",
            "units": [
                {"name": "gpu0", "capacity": 1000, "attributes": {"model": "V100M16"}},
                {"name": "gpu1", "capacity": 1000, "attributes": {"model": "V100M16"}},
            ],
        },
    }


def test_a_nodes_id_comes_from_its_name() -> None:
    assert provider(a_node("x"))["id"] == provider(a_node("x", gpus=1, model="T4"))["id"]
    assert provider(a_node("x"))["id"] != provider(a_node("y"))["id"]


@pytest.mark.parametrize(("gpus", "gpu_milli"), [(1, 460), (1, 1000), (8, 1000)])
def test_gpus_are_asked_for_by_count_and_thousandths_of_each(gpus: int, gpu_milli: int) -> None:
    body = request(a_pod("p", gpus=gpus, gpu_milli=gpu_milli))

    assert body["components"] == [
        {"kind": "amounts", "resources": {"CUSTOM_CPU_MILLI": 4000, "MEMORY_MB": 1024}},
        {"kind": "units", "resource_class": "PGPU", "count": gpus, "amount": gpu_milli},
    ]


def test_a_pod_without_memory_asks_for_none() -> None:
    (component,) = request(a_pod("p", memory_mib=0))["components"]

    assert component == {"kind": "amounts", "resources": {"CUSTOM_CPU_MILLI": 4000}}


def test_allowed_models_become_one_group_of_which_any_trait_will_do() -> None:
    body = request(a_pod("p", gpus=1, gpu_milli=1000, models=("A10", "T4")))

    assert body["any_of_traits"] == [["CUSTOM_GPU_A10", "CUSTOM_GPU_T4"]]
    assert request(a_pod("p"))["any_of_traits"] == []


def test_a_model_that_only_a_pod_names_has_its_trait_defined_all_the_same() -> None:
    trace = a_trace(a_pod("p", models=("H100",)), nodes=(a_node(gpus=1, model="T4"),))
    defined = [step.name for step in schedule(trace, START) if step.kind == "define"]

    assert defined == ["CUSTOM_CPU_MILLI", "CUSTOM_GPU_H100", "CUSTOM_GPU_T4"]


# --- Reading the files ----------------------------------------------------------------------------


def write_trace(folder: Path, nodes: list[str], pods: list[str]) -> Path:
    (folder / "x_node_list_all_node.csv").write_text("\n".join([NODE_HEADER, *nodes]))
    (folder / "x_pod_list_default.csv").write_text("\n".join([POD_HEADER, *pods]))
    return folder


def test_a_trace_is_read_as_its_files_say(tmp_path: Path) -> None:
    write_trace(
        tmp_path,
        ["n1,32000,65536,2,T4", "n2,1000,2048,0,"],
        ["p1,4000,1024,1,460,A10|T4|T4,BE,Running,5,9,5", "p2,1,1,0,0,,LS,Pending,6,,"],
    )
    trace = read_trace(tmp_path)

    assert trace.nodes[1] == Node(name="n2", cpu_milli=1000, memory_mib=2048, gpus=0, model="")
    assert trace.pods[0].models == ("A10", "T4")
    assert (trace.pods[0].creation_seconds, trace.pods[0].deletion_seconds) == (5, 9)
    assert trace.pods[1].deletion_seconds is None


def test_the_digest_follows_the_files_content(tmp_path: Path) -> None:
    before = read_trace(write_trace(tmp_path, ["n1,1,1,0,"], ["p1,1,1,0,0,,LS,,0,1,0"])).digest
    again = read_trace(tmp_path).digest
    changed = read_trace(write_trace(tmp_path, ["n1,1,1,0,"], ["p1,2,1,0,0,,LS,,0,1,0"])).digest

    assert before == again != changed


def test_every_bad_row_is_reported_with_its_line(tmp_path: Path) -> None:
    write_trace(
        tmp_path,
        ["n1,1,1,0,"],
        [
            "good,1,1,0,0,,LS,,0,1,0",
            "words,four,1,0,0,,LS,,0,1,0",
            "good,1,1,0,0,,LS,,0,1,0",
            "backwards,1,1,0,0,,LS,,9,1,0",
            "greedy,1,1,1,1500,,LS,,0,1,0",
        ],
    )
    with pytest.raises(Failure) as failure:
        read_trace(tmp_path)

    assert failure.value.remedy.splitlines() == [
        "line 3: cpu_milli 'four' is not a whole number",
        "line 4: good stands twice",
        "line 5: deletion_time 1 is before creation_time 9",
        "line 6: gpu_milli 1500 is not within 1 to 1000",
    ]


def test_a_folder_without_a_trace_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"0 files of the form \*node_list_all_node.csv"):
        read_trace(tmp_path)
    with pytest.raises(Failure, match="is not a folder"):
        read_trace(tmp_path / "nowhere")
