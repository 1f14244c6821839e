"""The rules of the house that run. A failure says which rule, where, and what to do instead."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("domain", "projections", "api", "infra", "scripts", "tests")
OURS = frozenset(PACKAGES)

TOP_LEVEL = {
    *PACKAGES,
    *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "docs", ".ci", ".gitignore"),
    *("requirements.lock", "requirements-dev.lock"),
}

# What each layer may import beside the standard library and itself; infra and scripts may use any
# third party. os_resource_classes and os_traits are plain data: OpenStack's lists of names.
THIRD_PARTY = {
    "domain": {"pydantic", "pydantic_core", "eventsourcing", "os_resource_classes", "os_traits"},
    "projections": {"pydantic", "sqlalchemy", "numpy"},
    "api": {
        *("pydantic", "pydantic_core", "fastapi", "fastapi_offline", "starlette", "uuid_utils"),
        *("fastjsonschema", "jsonschema"),
    },
}
LAYERS = {
    "domain": set(),
    "projections": {"domain"},
    "api": {"domain", "projections"},
    "infra": {"domain", "projections"},
    "scripts": {"domain", "projections", "api", "infra"},
    "tests": set(OURS),
}
# `api/house.py` is the port: what the handlers need, for infra to implement.
PORTS = {"infra": {"api.house"}}
# Single files that may import more, each for a reason.
EXCEPTIONS = {
    "infra/composition.py": {"api"},  # the composition root joins every layer
}

# The audit is a second opinion on bills only while it shares no code with what makes them.
AUDIT = "infra/audit/"
AUDIT_READS = {"domain.currency", "domain.period", "domain.times", "infra.audit"}
AUDIT_READS |= {"infra.event_log", "infra.log_rows"}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers"}
VAGUE_NAMES |= {"service", "services", "models"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 60

# Written in pieces, so that this file does not contain what it looks for.
INDEX_HOSTS = ("py" + "pi.org", "python" + "hosted.org", "py" + "pi.python.org")
MACHINE_PATHS = ("/" + "work/", "/" + "root/", "/t" + "mp/w/", "../" + "shared")


@cache
def repository_files() -> tuple[str, ...]:
    """Every file that is, or would be, tracked; in a copy without git, every file not generated."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        return tuple(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())
    generated = re.compile(r"(^|/)(\.git|\.venv.*|\.\w+_cache|\.hypothesis|__pycache__|build|data|"
                           r".*\.egg-info)(/|$)")  # fmt: skip
    names = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file())
    return tuple(name for name in names if not generated.search(name))


@cache
def python_files() -> tuple[str, ...]:
    return tuple(name for name in repository_files() if name.endswith(".py"))


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def imported_modules(name: str) -> Iterator[tuple[int, str]]:
    """Each imported module of a file with its line, also those inside functions."""
    package = Path(name).parent.parts
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from infra import composition` names the module infra.composition.
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def may_import(name: str, module: str) -> bool:
    layer, top = name.split("/", 1)[0], module.split(".", 1)[0]
    allowed_here = EXCEPTIONS.get(name, set()) | PORTS.get(layer, set())
    if any(module == extra or module.startswith(extra + ".") for extra in allowed_here):
        return True
    if top in sys.stdlib_module_names or top == layer or top in LAYERS[layer]:
        return True
    return top not in OURS and (layer not in THIRD_PARTY or top in THIRD_PARTY[layer])


def teach(lesson: str, found: list[str]) -> None:
    if found:
        pytest.fail(f"{lesson}\n  " + "\n  ".join(found), pytrace=False)


def run_tool(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        command = " ".join(arguments)
        pytest.fail(f"{command} is not content:\n{done.stdout}{done.stderr}", pytrace=False)


def test_ruff_finds_nothing() -> None:
    run_tool("ruff", "check", ".")


def test_every_file_is_formatted() -> None:
    run_tool("ruff", "format", "--check", ".")


@pytest.mark.slow
def test_mypy_strict_finds_nothing() -> None:
    run_tool("mypy")


def test_each_layer_imports_only_what_it_may() -> None:
    found = [
        f"{name}:{line} imports {module}"
        for name in python_files()
        if name.split("/", 1)[0] in OURS
        for line, module in imported_modules(name)
        if not may_import(name, module)
    ]
    teach(
        "A layer imports what it may not. Decisions belong to domain and know no SQL and no HTTP; "
        "side effects belong to infra and are handed over by infra/composition.py:",
        found,
    )


def test_the_audit_shares_no_code_with_what_makes_bills() -> None:
    files = [name for name in python_files() if name.startswith(AUDIT)]
    found = [
        f"{name}:{line} imports {module}"
        for name in files
        for line, module in imported_modules(name)
        if module.split(".", 1)[0] in OURS
        and not any(module == one or module.startswith(f"{one}.") for one in AUDIT_READS)
    ]
    teach("The audit is to find mistakes of rating, so it must not make the same ones:", found)
    assert files


def test_the_top_level_is_fixed() -> None:
    present = {name.split("/", 1)[0] for name in repository_files()}
    teach(
        "The top level is fixed, so that a reader knows it by heart. Put new files into the "
        "packages, decisions into docs:",
        [f"too many: {name}" for name in sorted(present - TOP_LEVEL)]
        + [f"missing: {name}" for name in sorted(TOP_LEVEL - present)],
    )


def test_no_file_has_a_name_that_says_nothing() -> None:
    found = [
        name
        for name in repository_files()
        if VAGUE_NAMES & {Path(part).stem for part in Path(name).parts}
    ]
    teach("A name such as utils collects whatever has no home. Name the file for its noun:", found)


def test_files_and_functions_are_read_in_one_sitting() -> None:
    found = []
    for name in python_files():
        lines = (ROOT / name).read_text(encoding="utf-8").count("\n")
        if lines > LONGEST_FILE:
            found.append(f"{name} has {lines} lines; the most is {LONGEST_FILE}, the aim 150")
        for node in ast.walk(parsed(name)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found.append(f"{name}:{node.lineno} {node.name} has {length} lines")
    teach("Split by noun, not by size alone: a file has one subject, a function one step:", found)


def test_no_file_names_an_index_host_or_a_place_on_one_machine() -> None:
    found = []
    for name in repository_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {word}" for word in (*INDEX_HOSTS, *MACHINE_PATHS) if word in text]
    teach(
        "Where packages come from is the person's own configuration, and paths of one machine mean "
        "nothing on another. Leave both out:",
        found,
    )


def test_lock_files_name_no_address_and_pin_every_package_by_hash() -> None:
    found = []
    names = ("requirements.lock", "requirements-dev.lock", "tests/placement/requirements.lock")
    for name in names:
        text = (ROOT / name).read_text(encoding="utf-8")
        found += [f"{name}: {line}" for line in text.splitlines() if "://" in line]
        entries = re.split(r"\n(?=[a-zA-Z0-9])", text)
        found += [f"{name}: {entry[:60]}" for entry in entries if "--hash=sha256:" not in entry]
    teach("Write the locks again with the commands that stand in pyproject.toml:", found)


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime, dev = (
        locked_versions(name) for name in ("requirements.lock", "requirements-dev.lock")
    )
    asked = [(Requirement(text), runtime) for text in project["dependencies"]]
    asked += [(Requirement(text), dev) for text in project["optional-dependencies"]["dev"]]
    found = [
        str(wanted)
        for wanted, locked in asked
        if not any(wanted.specifier.contains(version) for version in locked.get(wanted.name, ()))
    ]
    found += [f"{name} differs" for name in runtime if runtime[name] != dev.get(name)]
    teach("Write both locks again with the commands that stand in pyproject.toml:", found)


def locked_versions(lock: str) -> dict[str, set[str]]:
    """Package to versions; several where the markers tell Python versions apart."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", (ROOT / lock).read_text("utf-8")):
        versions.setdefault(name, set()).add(version)
    return versions


def test_stored_event_names_are_unique() -> None:
    found = []
    topics = list(stored_names())
    count = Counter(topic for topic, _ in topics)
    found = [f"{topic} at {place}" for topic, place in topics if count[topic] > 1]
    found += [f"{topic!r} at {place}" for topic, place in topics if "." not in topic]
    teach("A stored name is for ever, for one event only, and reads `noun.past_tense`:", found)
    assert topics, "no event with a TOPIC was found in domain"


def stored_names() -> Iterator[tuple[str, str]]:
    """Each TOPIC that is set in domain, with its place; read from the source, nothing imported."""
    for name in python_files():
        for node in ast.walk(parsed(name)) if name.startswith("domain/") else ():
            if not isinstance(node, ast.Assign | ast.AnnAssign):
                continue
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            topic = node.value.value if isinstance(node.value, ast.Constant) else None
            if isinstance(target, ast.Name) and target.id == "TOPIC" and isinstance(topic, str):
                yield topic, f"{name}:{node.lineno}"
