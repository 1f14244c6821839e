"""The benchmarks' own arithmetic and load generator: a wrong ruler measures nothing."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from scripts.benchmarks.answers import UnreadableAnswer, read_answer
from scripts.benchmarks.calls import Caller, CallFailed
from scripts.benchmarks.claim_load import (
    ASKED,
    HOT,
    NOOP,
    PLACED,
    SPREAD,
    WORKLOADS,
    claim_template,
    lost_or_doubled,
    plan,
)
from scripts.benchmarks.claims import Measurement, Settings
from scripts.benchmarks.database import running_database
from scripts.benchmarks.figures import Mark, Round, figure, paired_ratios, percentile
from scripts.benchmarks.load import NUMBER, Plan, requests_of
from scripts.benchmarks.machine import file_system, sync_milliseconds
from scripts.benchmarks.processor_time import processor_seconds
from scripts.benchmarks.report import as_json, engine_as_json, print_measurement
from scripts.benchmarks.running import ServiceFailed, instant_server, run_load

PROVIDER = "6f1d0a1e-5f0c-4a3c-9a53-6f4d3a1c2b10"
PLACED_ANSWER = b'HTTP/1.1 201 Created\r\nContent-Length: 19\r\n\r\n{"status":"placed"}'


def a_round(
    workload: str = "spread", number: int = 1, rate: float = 100.0, **other: object
) -> Round:
    values: dict[str, object] = {
        "clients": 8,
        "answered": int(rate * 5),
        "errors": 0,
        "elapsed_seconds": 5.0,
        "p50_milliseconds": 1.0,
        "p99_milliseconds": 2.0,
        "generator_cpu_seconds": 0.5,
        "service_cpu_seconds": 4.5,
        "database_cpu_seconds": None,
        "settling_seconds": 0.0,
    }
    return Round(workload=workload, number=number, **(values | other))  # type: ignore[arg-type]


def a_plan(port: int = 1, **other: object) -> Plan:
    values: dict[str, object] = {
        "clients": 3,
        "seconds": 0.3,
        "seed": 7,
        "label": "run-1-",
        "templates": [claim_template(PROVIDER, label="run-1-", keyed=False)],
        "expected_status": 201,
        "expected_texts": PLACED,
    }
    return Plan(port=port, **(values | other))  # type: ignore[arg-type]


def a_measurement(spread: float = 2400.0, hot: float = 2000.0, noop: float = 5000.0) -> Measurement:
    rates = {SPREAD.name: spread, HOT.name: hot, NOOP.name: noop}
    rounds = [
        a_round(workload.name, rate=rates.get(workload.name, 1000.0), clients=clients)
        for workload in WORKLOADS
        for clients in (1, 8)
    ]
    return Measurement(
        engine="sqlite",
        settings=Settings(clients=(1, 8), seconds=5.0, rounds=1, seed=1),
        rounds=rounds,
        acknowledged=Counter({PROVIDER: 12}),
    )


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        (range(1, 101), 0.99, 99),
        (range(1, 101), 0.50, 50),
        (range(1, 101), 0.07, 7),
        (range(1, 101), 1.0, 100),
        ([10, 20, 30], 0.50, 20),
        ([10, 20, 30], 0.99, 30),
        ([42], 0.01, 42),
    ],
)
def test_a_percentile_is_the_nearest_rank(values: list[int], share: float, expected: int) -> None:
    assert percentile(list(values), share) == expected


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1], 0.0), ([1], 1.1)])
def test_a_percentile_without_meaning_is_refused(values: list[int], share: float) -> None:
    with pytest.raises(ValueError, match=r"percentile|share"):
        percentile(values, share)


def test_a_ratio_pairs_the_rounds_so_that_a_machine_that_slows_down_cancels_out() -> None:
    rounds = [
        a_round("no-op", number=1, rate=10_000),
        a_round("spread", number=1, rate=5_000),
        a_round("no-op", number=2, rate=4_000),
        a_round("spread", number=2, rate=2_000),
        a_round("spread", number=3, rate=9_000),
    ]
    assert paired_ratios(rounds, "spread", "no-op", clients=8) == (0.5, 0.5)


def test_a_ratio_of_rounds_that_never_met_is_refused() -> None:
    rounds = [a_round("no-op", number=1), a_round("spread", number=2)]
    with pytest.raises(ValueError, match="no round has both"):
        paired_ratios(rounds, "spread", "no-op", clients=8)


def test_a_figure_is_the_median_of_its_own_rounds_and_the_sum_of_their_errors() -> None:
    rounds = [a_round("no-op", number=number, rate=400) for number in (1, 2, 3)]
    rounds += [
        a_round(number=1, rate=100, p99_milliseconds=9.0, errors=1),
        a_round(number=2, rate=300, p99_milliseconds=3.0),
        a_round(number=3, rate=200, p99_milliseconds=6.0, errors=2),
        a_round(number=1, rate=9_999, clients=1),
    ]
    spread = figure(rounds, "spread", "no-op", clients=8)
    assert (spread.per_second, spread.p99_milliseconds, spread.errors) == (200, 6.0, 3)
    assert (spread.rounds, spread.share_of_noop) == (3, 0.5)
    assert (spread.service_cpu_seconds, spread.database_cpu_seconds) == (4.5, None)


def test_a_round_without_time_has_no_rate() -> None:
    assert a_round(elapsed_seconds=0.0).per_second == 0.0


@pytest.mark.parametrize(("measured", "met"), [(0.39, False), (0.40, True), (0.41, True)])
def test_a_mark_is_met_from_the_wanted_figure_on(measured: float, met: bool) -> None:
    mark = Mark(name="spread / no-op", wanted=0.40, by_round=(0.01, measured, 0.99))
    assert (mark.measured, mark.met) == (measured, met)


def test_the_marks_are_judged_at_the_largest_number_of_clients() -> None:
    measurement = a_measurement(spread=1500.0, hot=1200.0, noop=5000.0)
    measurement.rounds += [
        a_round(workload.name, rate=99_999, clients=1, number=2) for workload in WORKLOADS
    ]
    marks = {mark.name: (round(mark.measured, 2), mark.met) for mark in measurement.marks()}
    assert marks == {
        "spread / no-op": (0.30, False),
        "hot / spread": (0.80, True),
        "spread claims/s": (1500.0, False),
    }


def test_a_missed_mark_is_sound_but_an_error_or_a_lost_claim_is_not() -> None:
    slow, losing, failing = a_measurement(spread=1.0), a_measurement(), a_measurement()
    losing.disagreements = ["one provider: 11 in use, 12 acknowledged"]
    failing.errors = 1
    assert [one.sound for one in (slow, losing, failing)] == [True, False, False]


def test_the_report_says_which_marks_were_met_and_that_nothing_was_lost() -> None:
    console = Console(width=120, file=StringIO())
    print_measurement(console, a_measurement(hot=240.0))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert [word for word in text.split() if word in {"met", "MISSED"}] == ["met", "MISSED", "met"]
    assert "equals the 12 acknowledged claims" in text


def test_the_json_holds_what_the_table_shows() -> None:
    written = json.loads(json.dumps(engine_as_json(a_measurement())))
    assert written["marks"][1]["met"] is True
    assert written["acknowledged_claims"] == 12
    spread = [one for one in written["figures"] if one["workload"] == "spread"]
    assert [(one["clients"], one["per_second"]) for one in spread] == [(1, 2400.0), (8, 2400.0)]


@pytest.mark.parametrize("cut", range(len(PLACED_ANSWER)))
def test_an_answer_is_read_only_once_it_is_whole(cut: int) -> None:
    assert read_answer(PLACED_ANSWER[:cut]) is None
    assert read_answer(PLACED_ANSWER) == (201, len(PLACED_ANSWER))


def test_an_answer_ends_where_its_length_says_and_leaves_the_next_one() -> None:
    assert read_answer(PLACED_ANSWER + b"HTTP/1.1 503") == (201, len(PLACED_ANSWER))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 204 No Content\r\nETag: 1\r\n\r\n", (204, 36)),
        (b"HTTP/1.1 200 OK\r\ncontent-length:0\r\nX: y\r\n\r\n", (200, 43)),
        (b"HTTP/1.1 503 Busy\r\nX: 1\r\nCONTENT-LENGTH: 2\r\n\r\n{}", (503, 48)),
    ],
)
def test_an_answer_is_read_however_its_head_is_spelled(answer: bytes, expected: object) -> None:
    assert read_answer(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"SMTP ready\r\n\r\n"],
)
def test_an_answer_that_does_not_say_its_length_is_refused(answer: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read_answer(answer)


@pytest.mark.parametrize("keyed", [False, True])
def test_a_claim_request_says_its_true_length_and_is_numbered_afresh(keyed: bool) -> None:
    template = claim_template(PROVIDER, label="run-1-", keyed=keyed)
    requests = requests_of(a_plan(templates=[template]))
    sent = [next(requests)[1] for _ in range(1000)]
    for request in sent:
        head, body = request.split(b"\r\n\r\n", 1)
        assert f"Content-Length: {len(body)}".encode() in head.splitlines()
        number = json.loads(body)["consumer"]["id"]
        assert (f"Idempotency-Key: {number}".encode() in head.splitlines()) is keyed
    assert len(set(sent)) == 1000
    assert NUMBER.encode() not in b"".join(sent)


def test_the_seed_alone_draws_the_order_of_the_templates() -> None:
    def order(seed: int) -> list[int]:
        requests = requests_of(a_plan(seed=seed, templates=["a", "b", "c", "d"]))
        return [next(requests)[0] for _ in range(200)]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert set(order(1)) == {0, 1, 2, 3}


def test_a_hot_plan_has_one_template_and_a_spread_plan_one_for_each_provider() -> None:
    ids = [f"6f1d0a1e-5f0c-4a3c-9a53-{place:012}" for place in range(64)]
    rest = {"port": 1, "clients": 1, "seconds": 1.0, "seed": 1, "label": "x"}
    assert len(plan(SPREAD, ids, **rest).templates) == 64  # type: ignore[arg-type]
    assert len(plan(HOT, ids, **rest).templates) == 1  # type: ignore[arg-type]
    assert plan(NOOP, ids, **rest).expected_status == 200  # type: ignore[arg-type]


def test_the_load_generator_counts_every_answer_of_a_real_server() -> None:
    with instant_server() as port:
        result = run_load(a_plan(port))
    assert result.answered == sum(result.by_template) > 3
    assert (result.errors, result.unanswered) == (0, 0)
    assert 0.3 <= result.elapsed_seconds < 5
    assert 0 < result.p50_milliseconds <= result.p99_milliseconds <= result.slowest_milliseconds
    assert result.cpu_seconds > 0


def test_the_load_generator_shows_answers_that_it_did_not_expect() -> None:
    with instant_server() as port:
        result = run_load(a_plan(port, expected_texts=['"status":"held"']))
    assert result.answered == 0
    assert result.errors > 0
    assert result.shown_errors[0] == '201: {"status":"placed"}'


def test_a_request_whose_connection_breaks_counts_as_unanswered() -> None:
    def hang_up(listener: socket.socket) -> None:
        for _ in range(3):
            connection, _ = listener.accept()
            connection.recv(100_000)
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hang_up, args=[listener], daemon=True).start()
        result = run_load(a_plan(listener.getsockname()[1]))
    assert (result.answered, result.errors, result.unanswered) == (0, 3, 3)
    assert "connection lost" in result.shown_errors[0]


def test_a_load_on_a_port_where_nobody_listens_fails_loudly() -> None:
    with pytest.raises(ServiceFailed, match="the load generator failed"):
        run_load(a_plan(port=1))


@contextmanager
def capacity_pages(vcpu_used: int) -> Iterator[Caller]:
    """A server whose capacity of PROVIDER comes in one page for each class, asked for VCPU last."""
    used = {name: amount * 5 for name, amount in ASKED.items()} | {"VCPU": vcpu_used}
    rows = [
        {"provider_id": PROVIDER, "resource_class": name, "usage": used[name]}
        for name in reversed(ASKED)
    ]

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            place = int(self.path.partition("cursor=")[2] or 0)
            following = str(place + 1) if place + 1 < len(rows) else None
            body = json.dumps({"items": rows[place : place + 1], "next": following}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent: the test's output is for failures."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Caller(server.server_port) as caller:
            yield caller
        server.shutdown()


@pytest.mark.parametrize(("vcpu_used", "found"), [(5, 0), (4, 1), (6, 1)])
def test_a_lost_or_doubled_claim_is_found_on_any_page(vcpu_used: int, found: int) -> None:
    with capacity_pages(vcpu_used) as caller:
        differences = lost_or_doubled(caller, {PROVIDER: 5})
    assert len(differences) == found
    assert all(f"VCPU: {vcpu_used} in use, 5 acknowledged" in one for one in differences)


def test_a_provider_that_the_service_has_forgotten_is_a_difference() -> None:
    with capacity_pages(5) as caller:
        assert len(lost_or_doubled(caller, {"another provider": 5})) == len(ASKED)


def test_an_unexpected_status_stops_a_call() -> None:
    with capacity_pages(5) as caller, pytest.raises(CallFailed, match="answered 200"):
        caller.call("GET", "/v1/capacity", expected=201)


def test_the_whole_report_can_be_written_as_json() -> None:
    with instant_server() as port:
        ceiling = run_load(a_plan(port))
    written = json.loads(json.dumps(as_json({"cores": 2}, ceiling, [a_measurement()])))
    assert written["generator_ceiling"]["answered"] == asdict(ceiling)["answered"]
    assert written["engines"][0]["engine"] == "sqlite"


def test_the_database_of_a_run_is_a_postgresql_that_keeps_what_it_acknowledges() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with running_database("postgresql", Path(folder)) as database:
            assert database.url
            assert database.pid
            with psycopg.connect(database.url) as connection:
                settings = connection.execute(
                    "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
                )
                assert settings.fetchone() == ("on", "on")
            os.kill(database.pid, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(database.pid, 0)


def test_the_embedded_engine_needs_no_database(tmp_path: Path) -> None:
    with running_database("sqlite", tmp_path) as database:
        assert (database.url, database.pid) == (None, None)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_processor_time_of_a_process_includes_its_children() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass\n"
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\ninput()"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while (processor_seconds(process.pid) or 0) < 0.2 and time.monotonic() < deadline:
            time.sleep(0.02)
        used = processor_seconds(process.pid)
    assert used is not None
    assert 0.2 <= used < 20


def test_a_folder_lies_on_the_file_system_of_its_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"a / ext4 rw 0 0\nb {tmp_path.parent} tmpfs rw 0 0\nc /elsewhere xfs rw 0 0\n"
    )
    assert file_system(tmp_path, mounts) == "tmpfs"
    assert file_system(Path("/"), mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "absent") == "unknown"


def test_the_sync_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    assert sync_milliseconds(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []
