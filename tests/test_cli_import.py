"""Import files: every row is checked, alone and against the others, before anything is sent."""

import json
from pathlib import Path

import pytest

from domain.inventory import DiscreteInventory, DivisibleInventory, Unit
from scripts.cli.failure import Failure
from scripts.cli.import_entries import Gathered
from scripts.cli.import_read import gather
from scripts.cli.names import provider_id

DIVISIBLE = (
    "provider,parent,resource_class,total,reserved,min_unit,max_unit,step_size,"
    "allocation_ratio,traits"
)


def gathered(folder: Path, **files: str) -> Gathered:
    """Files by name; `hosts_csv` is hosts.csv."""
    paths = []
    for name, text in files.items():
        path = folder / ".".join(name.rsplit("_", 1))
        path.write_text(text)
        paths.append(path)
    return gather(paths)


def problems(folder: Path, text: str, name: str = "rows.csv") -> list[str]:
    (folder / name).write_text(text)
    found = gather([folder / name])
    found.parents_first()
    return [problem.removeprefix(f"{folder}/") for problem in found.problems]


def test_rows_of_one_provider_are_put_together_over_all_files(tmp_path: Path) -> None:
    result = gathered(
        tmp_path,
        hosts_csv=f"{DIVISIBLE}\n"
        "h1,,VCPU,32,2,,,,1.15,HW_CPU_X86_AVX2|CUSTOM_SSD\n"
        "h1,,MEMORY_MB,1024,,256,512,256,,\n",
        gpus_csv="provider,resource_class,unit,capacity,attr.model,attr.slot,groups\n"
        "h1,PGPU,gpu0,1000,A100,3,rack-1|zone-a\n"
        "h1,PGPU,gpu1,,T4,,\n",
    )
    (draft,) = result.drafts.values()

    assert result.problems == []
    assert draft.traits == {"HW_CPU_X86_AVX2", "CUSTOM_SSD"}
    assert draft.groups == {"rack-1", "zone-a"}
    inventories = draft.inventories()
    assert inventories["VCPU"].capacity == 34  # (32 - 2) * 1.15 = 34.5
    memory = DivisibleInventory(total=1024, min_unit=256, max_unit=512, step_size=256)
    assert inventories["MEMORY_MB"] == memory
    assert inventories["PGPU"] == DiscreteInventory(
        units=(
            Unit(name="gpu0", capacity=1000, attributes={"model": "A100", "slot": "3"}),
            Unit(name="gpu1", capacity=1, attributes={"model": "T4"}),
        )
    )


def test_a_provider_without_an_id_gets_the_one_of_its_name(tmp_path: Path) -> None:
    chosen = "6f2f1a44-5a0c-4b8e-9d9e-0d5a2a3f9c11"
    result = gathered(tmp_path, p_json=json.dumps([{"name": "a"}, {"name": "b", "id": chosen}]))

    assert [draft.wanted_id for draft in result.drafts.values()] == [provider_id("a"), chosen]


def test_parents_come_first_whatever_the_files_order(tmp_path: Path) -> None:
    result = gathered(
        tmp_path,
        tree_csv="provider,parent\nleaf,branch\nbranch,root\nother,\nroot,\n",
    )

    order = [draft.name for draft in result.parents_first()]
    assert order == ["root", "branch", "leaf", "other"]


def test_a_tree_may_be_deeper_than_pythons_stack(tmp_path: Path) -> None:
    rows = "\n".join(f"p{n},p{n + 1}" for n in range(3000))
    result = gathered(tmp_path, deep_csv=f"provider,parent\n{rows}\np3000,\n")

    order = [draft.name for draft in result.parents_first()]
    assert result.problems == []
    assert order == [f"p{n}" for n in range(3000, -1, -1)]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("h,,VCPU,many,,,,,,", "total 'many' is not a whole number"),
        ("h,,VCPU,0,,,,,,", "inventories.VCPU.divisible.total: Input should be greater than"),
        ("h,,VCPU,,,,,,,", "inventories.VCPU.divisible.total: Field required"),
        ("h,,VCPU,8,9,,,,,", "inventories.VCPU.divisible: reserved is more than total"),
        ("h,,VCPU,8,,,,,zero,", "inventories.VCPU.divisible.allocation_ratio: "),
        ("h,,GOLD,8,,,,,,", "GOLD is no standard resource class; names of your own begin with"),
        ("h,,,,,,,,,SHINY", "SHINY is no standard trait; names of your own begin with CUSTOM_"),
        ("h,,,8,,,,,,", "resource_class is empty"),
        (",,VCPU,8,,,,,,", "provider is empty"),
        ("h,,VCPU,8,,,,,,,9", "more cells than columns"),
        ("h,h,VCPU,8,,,,,,", "h is its own ancestor"),
    ],
)
def test_a_bad_row_is_reported_with_its_line(tmp_path: Path, row: str, problem: str) -> None:
    found = problems(tmp_path, f"{DIVISIBLE}\ngood,,VCPU,8,,,,,,\n{row}\n")

    assert len(found) == 1
    assert found[0].startswith(f"rows.csv:3: {problem}")


def test_every_bad_row_is_reported_not_only_the_first(tmp_path: Path) -> None:
    found = problems(tmp_path, f"{DIVISIBLE}\na,,VCPU,x,,,,,,\nb,,VCPU,1,,,,,,\nc,,VCPU,y,,,,,,\n")

    assert [problem.split(" ")[0] for problem in found] == ["rows.csv:2:", "rows.csv:4:"]


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ("h,,VCPU,8,,,,,,", "h,,VCPU,8,,,,,,", "h already has an inventory of VCPU"),
        ("h,a,VCPU,8,,,,,,", "h,b,DISK_GB,8,,,,,,", "parent was 'a' in an earlier row and is 'b'"),
    ],
)
def test_rows_that_contradict_each_other_are_bad(
    tmp_path: Path, first: str, second: str, problem: str
) -> None:
    found = problems(tmp_path, f"{DIVISIBLE}\na,,,,,,,,,\nb,,,,,,,,,\n{first}\n{second}\n")

    assert len(found) == 1
    assert found[0].startswith(f"rows.csv:5: {problem}")


def test_a_unit_that_stands_twice_is_bad(tmp_path: Path) -> None:
    found = problems(tmp_path, "provider,resource_class,unit\nh,PGPU,gpu0\nh,PGPU,gpu0\n")

    assert found == ["rows.csv:3: h already has a unit gpu0 of PGPU"]


def test_a_bad_json_element_is_reported_with_the_line_on_which_it_begins(tmp_path: Path) -> None:
    text = (
        '[\n  {"name": "a"},\n  {\n    "name": "b", "color": "red"\n  },'
        '\n  {"name": "c", "parent": "a", "parent_id": "6f2f1a44-5a0c-4b8e-9d9e-0d5a2a3f9c11"}\n]'
    )

    assert problems(tmp_path, text, "rows.json") == [
        "rows.json:3: color: Extra inputs are not permitted",
        "rows.json:6: give either `parent` (a name) or `parent_id`",
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", '{"name": "a"}', "x.json:1 is not a JSON array"),
        ("x.json", '[\n{"name": "a"}\n{"name": "b"}]', "x.json:3 is not a JSON array"),
        ("x.json", "[] []", "x.json:1 is not a JSON array .*: Nothing may follow"),
        ("x.json", '[{"name": "a"}', "x.json:1 is not a JSON array"),
        ("x.csv", "name,total\n", "x.csv has an unknown column 'name'"),
        ("x.csv", "resource_class,total\n", "x.csv has no column `provider`"),
        ("x.csv", "", "x.csv has no column `provider`"),
        ("x.yaml", "", "x.yaml is neither .json nor .csv"),
    ],
)
def test_a_file_of_another_form_is_refused_as_a_whole(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(Failure, match=message):
        gather([tmp_path / name])


def test_an_empty_array_imports_nothing(tmp_path: Path) -> None:
    assert gathered(tmp_path, none_json=" [ ] ").drafts == {}
