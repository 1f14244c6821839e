"""Proofs as a client gets them over REST, and as somebody without the ledger checks them."""

from __future__ import annotations

import ast
import base64
import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from infra.proof_verification import verify_proofs
from infra.signing import SigningKey
from scripts.cli.application import app
from scripts.verify_proof import BadProof, check
from tests.cli_processes import ROOT, wait_until
from tests.databases import ScratchDatabase, postgresql_database, sqlite_database
from tests.open_archive import quiet
from tests.open_ledger import OpenLedger, settings_from
from tests.open_service import code_of, served
from tests.sealed_log import change_state

Json = dict[str, Any]
VERIFIER = ROOT / "scripts" / "verify_proof.py"


@contextmanager
def sealing(database: ScratchDatabase) -> Iterator[httpx.Client]:
    """A service that seals at once."""
    with (
        served(database, seal_seconds=0.02) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=20) as http,
    ):
        yield http


def write(http: httpx.Client, *numbers: int) -> int:
    """Write, and wait until it is sealed; the number of events then."""
    for number in numbers:
        assert http.put(f"/v1/resource-classes/CUSTOM_{number}").status_code == 201
    head = int(http.get("/v1/events").json()["head"])
    wait_until(lambda: newest(http) == head, "all is sealed")
    return head


def newest(http: httpx.Client) -> int:
    return int(http.get("/v1/proofs/checkpoint").json().get("size", 0))


def get(http: httpx.Client, path: str) -> Json:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def test_every_event_and_every_pair_of_checkpoints_is_proven(database: ScratchDatabase) -> None:
    with sealing(database) as http:
        key = get(http, "/v1/proofs/key")["pem"].encode()
        sizes = [write(http, number) for number in range(5)]
        for position in range(1, sizes[-1] + 1):
            proof = get(http, f"/v1/proofs/inclusion?position={position}")
            assert f"is at position {position} of the {sizes[-1]} events" in check(proof, key)
        event = get(http, "/v1/events?after=2&limit=1")["items"][0]
        proven = get(http, f"/v1/proofs/inclusion?position=3&size={sizes[3]}")["event"]
        assert (proven["stream"], proven["topic"]) == (event["subject"], event["type"])
        for old in sizes:
            for new in [size for size in sizes if size >= old]:
                proof = get(http, f"/v1/proofs/consistency?from={old}&to={new}")
                assert f"first {old} of the {new}" in check(proof, key)


def test_checkpoints_are_listed_and_stay_the_same(database: ScratchDatabase) -> None:
    with sealing(database) as http:
        sizes = [write(http, number) for number in range(3)]
        first = get(http, "/v1/proofs/checkpoints?limit=1")
        rest = get(http, f"/v1/proofs/checkpoints?cursor={first['next']}")
        listed = [*first["items"], *rest["items"]]
        assert rest["next"] is None
        assert [one["size"] for one in listed] == sorted(one["size"] for one in listed)[::-1]
        assert set(sizes) <= {one["size"] for one in listed}
        assert get(http, f"/v1/proofs/checkpoint?size={sizes[0]}") in listed
        origin, size, root = first["items"][0]["note"].splitlines()[:3]
        assert (origin, size, root) == ("/tallystick", str(sizes[-1]), first["items"][0]["root"])
    with sealing(database) as http:
        assert get(http, "/v1/proofs/checkpoints")["items"] == listed, "another start, the same key"


def test_what_cannot_be_proven_is_told(database: ScratchDatabase) -> None:
    with served(database, seal_seconds=0) as url, httpx.Client(base_url=url) as http:
        http.put("/v1/resource-classes/CUSTOM_1")
        unsealed = http.get("/v1/proofs/inclusion?position=1")
        assert code_of(unsealed) == (404, "checkpoint_not_found"), "0 seconds: never"
    with sealing(database) as http:
        first, second = write(http, 2), write(http, 3)
        for path, code in (
            (f"inclusion?position={second + 1}", (409, "position_not_sealed")),
            (f"inclusion?position={second}&size={first}", (409, "position_not_sealed")),
            ("inclusion?position=1&size=99999", (404, "checkpoint_not_found")),
            ("inclusion?position=0", (422, "invalid_parameter")),
            (f"consistency?from={second}&to={first}", (422, "from_beyond_to")),
            ("consistency?from=99999", (404, "checkpoint_not_found")),
            ("checkpoints?cursor=x", (422, "bad_cursor")),
        ):
            assert code_of(http.get(f"/v1/proofs/{path}")) == code
        ledger = OpenLedger(settings_from(database.settings_environment))
        change_state(ledger, first)
        ledger.close()
        assert code_of(http.get(f"/v1/proofs/inclusion?position={first}")) == (409, "event_differs")


def test_services_on_one_database_seal_one_log(postgresql_server_url: str, tmp_path: Path) -> None:
    with postgresql_database(postgresql_server_url, tmp_path / "data") as database:
        with sealing(database) as one, sealing(database) as two:
            size = 0
            for number in range(20):
                size = write(one if number % 2 else two, number)
            assert newest(one) == newest(two) == size
            listed = get(one, "/v1/proofs/checkpoints")
            assert get(two, "/v1/proofs/checkpoints") == listed
        report = verify_proofs(settings_from(database.settings_environment), progress=quiet)
        assert (report.ok, report.sealed, len(report.keys)) == (True, size, 1)


# --- Forged proofs --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """Proofs of one ledger, with its key and its checkpoints."""
    with sealing(sqlite_database(tmp_path_factory.mktemp("proofs"))) as http:
        sizes = [write(http, number) for number in range(6)]
        return {
            "key": get(http, "/v1/proofs/key")["pem"],
            "inclusion": get(http, f"/v1/proofs/inclusion?position={sizes[1]}"),
            "consistency": get(http, f"/v1/proofs/consistency?from={sizes[2]}"),
            "kept": [get(http, f"/v1/proofs/checkpoint?size={size}")["note"] for size in sizes],
        }


def altered(value: Any) -> Any:
    """Something else of the same kind."""
    if isinstance(value, int):
        return value + 1
    try:
        content = base64.b64decode(value, validate=True)
        return base64.b64encode(bytes([content[0] ^ 1]) + content[1:]).decode()
    except (ValueError, IndexError):
        return value.replace("a", "b", 1)


def forgeries(proof: Json) -> Iterator[tuple[str, Json]]:
    """Each with one value altered, removed, or added to."""
    places: list[tuple[Any, ...]] = [
        (name,) for name, value in proof.items() if isinstance(value, str)
    ]
    places += [("event", name) for name in proof.get("event", ())]
    places += [("path", at) for at in range(len(proof["path"]))]
    for *above, last in places:
        forged = copy.deepcopy(proof)
        inner = forged[above[0]] if above else forged
        inner[last] = altered(inner[last])
        assert forged != proof
        yield f"{(*above, last)} altered", forged
        forged = copy.deepcopy(proof)
        del (forged[above[0]] if above else forged)[last]
        yield f"{(*above, last)} removed", forged
    yield "a longer path", {**proof, "path": [*proof["path"], proof["path"][0]]}
    yield "a path upside down", {**proof, "path": proof["path"][::-1]}


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_a_forged_proof_proves_nothing(proofs: Json, kind: str) -> None:
    key = proofs["key"].encode()
    assert check(proofs[kind], key)
    tried = 0
    for what, forged in forgeries(proofs[kind]):
        tried += 1
        with pytest.raises(BadProof):
            raise AssertionError(f"{what}: {check(forged, key)}")
    assert tried > 10
    nonsenses: tuple[Any, ...] = ({}, [], "text", None, {"format": "another"})
    for nonsense in nonsenses:
        with pytest.raises(BadProof):
            check(nonsense, key)


def test_a_proof_of_another_keys_log_is_not_believed(proofs: Json) -> None:
    stranger = SigningKey(Ed25519PrivateKey.generate())
    with pytest.raises(BadProof, match="not signed with this key"):
        check(proofs["inclusion"], stranger.public_pem().encode())
    with pytest.raises(BadProof, match="no public key"):
        check(proofs["inclusion"], b"no key")


def test_two_checkpoints_that_disagree_are_a_fork(tmp_path: Path) -> None:
    def prove(number: int) -> tuple[Json, Json, str]:
        data = tmp_path / str(number)
        data.mkdir()
        if number:
            shutil.copy(tmp_path / "0" / "signing_key.pem", data)
        with sealing(sqlite_database(data)) as http:
            first, last = write(http, number), write(http, 7)
            return (
                get(http, "/v1/proofs/inclusion?position=1"),
                get(http, f"/v1/proofs/consistency?from={first}&to={last}"),
                get(http, "/v1/proofs/key")["pem"],
            )

    (inclusion, consistency, key), (other, _, _) = prove(0), prove(1)
    assert check(inclusion, key.encode(), inclusion["checkpoint"])
    assert check(consistency, key.encode(), inclusion["checkpoint"])
    for proof in (inclusion, consistency):
        with pytest.raises(BadProof, match="a fork"):
            check(proof, key.encode(), other["checkpoint"])
    mixed = {**consistency, "old": inclusion["checkpoint"], "new": other["checkpoint"], "path": []}
    with pytest.raises(BadProof, match="a fork"):
        check(mixed, key.encode())


def test_a_kept_checkpoint_of_another_size_asks_for_the_way_between(proofs: Json) -> None:
    key = proofs["key"].encode()
    with pytest.raises(BadProof, match="prove"):
        check(proofs["inclusion"], key, proofs["kept"][0])
    with pytest.raises(BadProof, match="neither"):
        check(proofs["consistency"], key, proofs["kept"][0])
    assert check(proofs["consistency"], key, proofs["kept"][2])


def test_a_verifier_in_one_file_needs_nothing_else(proofs: Json, tmp_path: Path) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(VERIFIER.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names == {"cryptography"}

    shutil.copy(VERIFIER, tmp_path)
    (tmp_path / "key.pem").write_text(proofs["key"])
    (tmp_path / "kept.txt").write_text(proofs["kept"][-1])

    def run(proof: Json, *more: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "proof.json").write_text(json.dumps(proof))
        command = [sys.executable, "verify_proof.py", "proof.json", "key.pem", *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    proven = run(proofs["inclusion"], "kept.txt")
    assert (proven.returncode, proven.stdout.count("is at position")) == (0, 1), proven.stderr
    forged = run({**proofs["inclusion"], "path": []})
    assert (forged.returncode, forged.stdout[:10]) == (1, "NOT PROVEN")
    assert run(proofs["inclusion"], "kept.txt", "more").returncode == 2


# --- The command line -----------------------------------------------------------------------------


def tally(*arguments: str, database: ScratchDatabase) -> Result:
    return CliRunner().invoke(app, arguments, env=database.settings_environment)


def test_tally_seals_exports_checks_and_verifies(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path / "data")

    def written(name: str, *arguments: str) -> str:
        answer = tally(*arguments, database=database)
        assert answer.exit_code == 0, answer.stderr
        (tmp_path / name).write_text(answer.stdout)
        return str(tmp_path / name)

    with served(database, seal_seconds=0) as url, httpx.Client(base_url=url) as http:
        http.put("/v1/resource-classes/CUSTOM_1")
        sealed = json.loads(tally("seal", "--json", database=database).stdout)
        assert sealed["sealed"] == sealed["checkpoint"]["size"] == 1
        http.put("/v1/resource-classes/CUSTOM_2")
        assert "Sealed 1 events" in tally("seal", database=database).stdout
        key = written("key.pem", "proof", "key", "--url", url)
        kept = written("kept.txt", "proof", "checkpoint", "--url", url)
        inclusion = written("inclusion.json", "proof", "export", "2", "--url", url)
        consistency = written("consistency.json", "proof", "consistency", "1", "--url", url)
        refused = tally("proof", "export", "3", "--url", url, database=database)
        assert "position_not_sealed" in refused.stderr

    trust = ("--public-key", key, "--checkpoint", kept)
    for proof in (inclusion, consistency):
        assert tally("proof", "check", proof, *trust, database=database).exit_code == 0
    unproven = tally("proof", "check", kept, "--public-key", key, database=database)
    assert (unproven.exit_code, unproven.stderr[:17]) == (1, "tally: not proven")

    answer = tally("verify", "--proofs", *trust, "--json", database=database)
    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["ok"], told["proofs"]["sealed"]) == (0, True, 2)
    assert tally("verify", "--public-key", key, database=database).exit_code == 2


def damaged(ledger: OpenLedger) -> None:
    change_state(ledger, 1)


def unreadable(ledger: OpenLedger) -> None:
    with ledger.database.durable.begin() as connection:
        connection.exec_driver_sql("UPDATE stored_events SET topic = NULL, state = NULL")


@pytest.mark.parametrize("tamper", [damaged, unreadable])
def test_tally_verify_names_the_first_bad_position(
    tamper: Callable[[OpenLedger], None], tmp_path: Path
) -> None:
    database = sqlite_database(tmp_path / "data")
    ledger = OpenLedger(settings_from(database.settings_environment))
    ledger.host("host")
    assert tally("seal", database=database).exit_code == 0
    tamper(ledger)
    ledger.close()
    shown = tally("verify", "--proofs", database=database)
    assert (shown.exit_code, "The first bad position is 1." in shown.stdout) == (1, True)
    told = tally("verify", "--proofs", "--json", database=database)
    problem = json.loads(told.stdout)["problems"][0]
    assert (told.exit_code, problem["code"], problem["position"]) == (1, "event_differs", 1)


def test_tally_seal_says_why_it_signs_nothing(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path / "data")
    ledger = OpenLedger(settings_from(database.settings_environment))
    ledger.host("host")
    (tmp_path / "data" / "signing_key.pem").write_text("no key")
    refused = tally("seal", database=database)
    assert (refused.exit_code, "is no private key" in refused.stderr) == (1, True)
    (tmp_path / "data" / "signing_key.pem").unlink()
    assert tally("seal", database=database).exit_code == 0
    with ledger.database.durable.begin() as connection:
        connection.exec_driver_sql("DELETE FROM stored_events")
    ledger.close()
    refused = tally("seal", database=database)
    assert (refused.exit_code, "nothing was signed" in refused.stderr) == (1, True)
