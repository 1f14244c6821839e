"""The one table of error codes, and how errors are told."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.problems import PROBLEMS, problem, problem_body
from domain.catalog import CatalogEntry, ResourceClass, Trait
from domain.errors import KINDS

ROOT = Path(__file__).parents[1]
RAISED = {*KINDS, "BadCall", "problem", "problem_body"}


def codes_raised(package: str) -> Iterator[tuple[str, str]]:
    """Each code that an error is raised with, and the file that does it."""
    for path in sorted((ROOT / package).glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                code = node.args[0]
                if node.func.id in RAISED:
                    yield from ((one, path.name) for one in _spelt_out(code))


def _spelt_out(code: ast.expr) -> list[str]:
    if isinstance(code, ast.Constant) and isinstance(code.value, str):
        return [code.value]
    if isinstance(code, ast.JoinedStr):  # f"{self.CATEGORY}_in_use": of the two catalogs.
        ending = ast.literal_eval(code.values[-1])
        return [f"{kind.CATEGORY}{ending}" for kind in (ResourceClass, Trait)]
    return []


@pytest.mark.parametrize("package", ["domain", "api", "infra"])
def test_every_code_that_is_raised_has_its_line_in_the_table(package: str) -> None:
    missing = {(code, name) for code, name in codes_raised(package) if code not in PROBLEMS}
    assert not missing, f"add them to PROBLEMS in api/problems.py: {sorted(missing)}"


def test_every_code_in_the_table_is_raised_somewhere() -> None:
    raised = {code for package in ("domain", "api", "infra") for code, _ in codes_raised(package)}
    assert set(PROBLEMS) <= raised | {"bad_time", "invalid_parameter"}, "delete those that are not"


def test_the_catalogs_still_spell_their_codes_by_category() -> None:
    assert issubclass(ResourceClass, CatalogEntry)
    assert ("trait_in_use", "catalog.py") in set(codes_raised("domain"))


def test_a_problem_is_told_as_the_rfc_wants_it() -> None:
    answer = problem("stale_version", "read it again", {"version": 7}, {"X": "y"})
    assert answer.status_code == 412
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x"] == "y"
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:tallystick:problem:stale_version",
        "title": "It has changed since you read it",
        "status": 412,
        "detail": "read it again",
        "code": "stale_version",
        "version": 7,
    }


def test_extras_never_hide_what_every_problem_says() -> None:
    told = json.loads(problem_body("request_not_held", "no", {"status": "placed", "code": 1}))
    assert told["status"] == 409
    assert told["code"] == "request_not_held"


def test_broken_text_of_a_client_can_be_told() -> None:
    told = problem_body("no_such_route", "\ud800\x00é")
    assert json.loads(told)["detail"] == "\ud800\x00é"
