"""Reads import files, JSON and both CSV shapes, and says of every row where it stands."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.cli.failure import Failure
from scripts.cli.import_entries import Gathered

AMOUNT_COLUMNS = ("total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio")
COLUMNS = {
    "divisible": {"provider", "parent", "resource_class", "traits", "groups", *AMOUNT_COLUMNS},
    "discrete": {"provider", "parent", "resource_class", "traits", "groups", "unit", "capacity"},
}
ATTRIBUTE = "attr."


def gather(files: Iterable[Path]) -> Gathered:
    """Reads them all; what is wrong with a row is kept in `problems`, a file that is no file at all
    is a Failure."""
    gathered = Gathered()
    for file in files:
        text = _text(file)
        if file.suffix.lower() == ".csv":
            _gather_csv(file, text, gathered)
        elif file.suffix.lower() == ".json":
            for line, element in _elements(file, text):
                gathered.add(f"{file}:{line}", element)
        else:
            raise Failure(f"{file} is neither .json nor .csv", "Name the file by what it holds.")
    return gathered


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Failure(f"{file} is not UTF-8 text: {error}") from None


def _elements(file: Path, text: str) -> Iterator[tuple[int, object]]:
    """The array's elements, each with the line on which it begins."""
    decoder = json.JSONDecoder()
    try:
        position = _expect(text, 0, "[")
        while text[position : position + 1] != "]":
            value, end = decoder.raw_decode(text, position)
            yield text.count("\n", 0, position) + 1, value
            position = _skip(text, end)
            if text[position : position + 1] != "]":
                position = _expect(text, position, ",")
        _expect_end(text, position + 1)
    except json.JSONDecodeError as error:
        raise Failure(
            f"{file}:{error.lineno} is not a JSON array of providers: {error.msg}",
            'The form is [{"name": "host-1", "inventories": {...}}, ...].',
        ) from None


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _expect(text: str, position: int, sign: str) -> int:
    position = _skip(text, position)
    if text[position : position + 1] != sign:
        raise json.JSONDecodeError(f"Expecting {sign!r}", text, position)
    return _skip(text, position + 1)


def _expect_end(text: str, position: int) -> None:
    position = _skip(text, position)
    if position < len(text):
        raise json.JSONDecodeError("Nothing may follow the array", text, position)


def _gather_csv(file: Path, text: str, gathered: Gathered) -> None:
    reader = csv.DictReader(io.StringIO(text), restkey="", restval="")
    columns = [column.strip() for column in reader.fieldnames or ()]
    reader.fieldnames = columns
    shape = "discrete" if "unit" in columns else "divisible"
    unknown = [
        column
        for column in columns
        if column not in COLUMNS[shape]
        and not (shape == "discrete" and column.startswith(ATTRIBUTE))
    ]
    if unknown or "provider" not in columns:
        wrong = f"has an unknown column {unknown[0]!r}" if unknown else "has no column `provider`"
        raise Failure(
            f"{file} {wrong}",
            f"One row for each provider and class: {','.join(sorted(COLUMNS['divisible']))}\n"
            "or one row for each unit: provider,resource_class,unit,capacity,attr.NAME,...",
        )
    for row in reader:
        place = f"{file}:{reader.line_num}"
        try:
            gathered.add(place, _element(shape, _cells(row)))
        except ValueError as error:
            gathered.problems.append(f"{place}: {error}")


def _cells(row: dict[str, str]) -> dict[str, str]:
    """Only the cells that hold something."""
    if "" in row:
        raise ValueError("more cells than columns")
    stripped = {column: cell.strip() for column, cell in row.items()}
    return {column: cell for column, cell in stripped.items() if cell}


def _element(shape: str, cells: dict[str, str]) -> dict[str, object]:
    """The JSON element that the row stands for."""
    if "provider" not in cells:
        raise ValueError("provider is empty")
    element: dict[str, object] = {"name": cells["provider"]}
    if "parent" in cells:
        element["parent"] = cells["parent"]
    for several in ("traits", "groups"):
        if several in cells:
            element[several] = re.split(r"[|;\s]+", cells[several])
    inventory = _units(cells) if shape == "discrete" else _amounts(cells)
    if "resource_class" in cells:
        element["inventories"] = {cells["resource_class"]: inventory}
    elif len(inventory) > 1:
        raise ValueError("resource_class is empty")
    return element


def _amounts(cells: dict[str, str]) -> dict[str, object]:
    inventory: dict[str, object] = {"kind": "divisible"}
    for column in AMOUNT_COLUMNS:
        if column in cells:
            # The ratio stays text: pydantic reads it as a decimal, so 1.15 stays 1.15.
            ratio = column == "allocation_ratio"
            inventory[column] = cells[column] if ratio else _whole(column, cells[column])
    return inventory


def _units(cells: dict[str, str]) -> dict[str, object]:
    if "unit" not in cells:
        raise ValueError("unit is empty")
    unit: dict[str, object] = {"name": cells["unit"]}
    if "capacity" in cells:
        unit["capacity"] = _whole("capacity", cells["capacity"])
    unit["attributes"] = {
        column.removeprefix(ATTRIBUTE): cell
        for column, cell in cells.items()
        if column.startswith(ATTRIBUTE)
    }
    return {"kind": "discrete", "units": [unit]}


def _whole(column: str, cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise ValueError(f"{column} {cell!r} is not a whole number") from None
