"""`tally prices` and `tally bill` against the real service: what they say, write and refuse."""

import csv
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from scripts.cli.bill_read import read_bill
from scripts.cli.client import Body, ServiceClient, Write
from scripts.cli.prices_example import example
from tests.cli_processes import Service, serving, tally, told
from tests.databases import sqlite_database

HOSTILE = """acme & </title><script>alert("1")</script> 'GmbH'"""
"""A project may be called that."""
HOST = "11111111-1111-4111-8111-111111111111"
DAY = "2026-01-{:02}T00:00:00Z"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A host in January, who held some of it, and the example's prices as `standard`."""
    database = sqlite_database(tmp_path_factory.mktemp("bills"))
    with serving(database, "--empty") as started, ServiceClient(started.url) as client:
        fill_january(client)
        yield started


def fill_january(client: ServiceClient) -> None:
    client.write(Write("POST", "/v1/providers", host(), at="2025-12-31T00:00:00Z"))
    ask(client, "web-1", 1, {"VCPU": 4, "MEMORY_MB": 16_384, "DISK_GB": 80})
    client.write(Write("DELETE", "/v1/claims/web-1", at=DAY.format(11)))
    held = ask(client, "web-2", 12, {"VCPU": 2}, hold_until="2099-01-01T00:00:00Z")
    client.write(Write("POST", f"/v1/requests/{held['id']}/withdraw", at=DAY.format(14)))
    client.write(Write("PUT", "/v1/price-books/standard", example()))


def host() -> Body:
    """Its name is as hostile as a name can be."""
    amounts = ("VCPU", "MEMORY_MB", "DISK_GB")
    inventories = {name: {"kind": "divisible", "total": 1_000_000} for name in amounts}
    return {"id": HOST, "name": "<img src=x onerror=alert(2)>", "inventories": inventories}


def ask(
    client: ServiceClient, consumer: str, day: int, resources: dict[str, int], **more: Any
) -> Body:
    body = {
        "consumer": {"id": consumer},
        "project_id": HOSTILE,
        "user_id": "ada",
        "components": [{"kind": "amounts", "resources": resources}],
        **more,
    }
    return client.write(Write("POST", "/v1/requests", body, at=DAY.format(day)))


def bill(service: Service, *arguments: str, book: str = "standard") -> list[str]:
    return ["bill", HOSTILE, "2026-01", "--prices", book, "--url", service.url, *arguments]


# --- Price books ----------------------------------------------------------------------------------


def test_the_example_is_published_as_it_is_and_shown(service: Service) -> None:
    printed = tally("prices", "example").stdout
    url = ("--url", service.url)
    assert (
        "is published: number 1" in tally("prices", "publish", "a", "-", *url, typed=printed).stdout
    )
    dearer = printed.replace('"0.02"', '"0.03"')
    assert told(tally("prices", "publish", "a", "-", "--json", *url, typed=dearer))["number"] == 2
    listed = told(tally("prices", "list", "--json", *url))["items"]
    assert [(one["name"], one["number"]) for one in listed] == [("a", 2), ("standard", 1)]
    older = tally("prices", "show", "a", "--number", "1", *url).stdout
    assert re.search(r"VCPU hour +│ VCPU +│ hour +│ 0.02 ", older)
    assert re.search(r"PGPU where model = A100 +│ 1,000 and hour", older)
    assert "0.05 above 10,000" in older


def test_a_bad_book_is_explained_and_nothing_is_published(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    position = service.position()

    def said(text: str | None) -> str:
        if text is not None:
            file.write_text(text)
        answer = tally("prices", "publish", "bad", str(file), "--url", service.url)
        assert answer.returncode == 1
        assert "Traceback" not in answer.stderr
        assert "tally prices example" in answer.stderr
        return answer.stderr

    assert "prices.json cannot be read: No such file" in said(None)
    assert "prices.json:2 is not JSON" in said('{"currency": "EUR",\n')
    assert "a book is a JSON object" in said("[]")
    assert "prices.0.tiers: " in said(json.dumps({**example(), "prices": [{"name": "x"}]}))
    unknown = {**example()["prices"][0], "target": {"kind": "class", "resource_class": "NO_SUCH"}}
    assert "unknown_resource_class" in said(json.dumps({**example(), "prices": [unknown]}))
    assert service.position() == position


# --- Bills ----------------------------------------------------------------------------------------


def test_a_bill_tells_its_sums_and_its_lines(service: Service) -> None:
    shown = tally(*bill(service, "--lines"))
    assert shown.returncode == 0, shown.stderr
    assert f"project     {HOSTILE}" in shown.stdout
    assert "period      2026-01, complete" in shown.stdout
    # 4 × 240 h × 0.02 + 16 GB × 10 days of 31 × 2.90 + (80 GB × 10 of 31 - 10) × 0.08, and a hold.
    assert "total       35.91 EUR" in shown.stdout
    assert re.search(r"VCPU +│ 19.68 │ █████████░░░░░░░  55%", shown.stdout)
    assert re.search(r"web-2 \(hold\) │ 2026-01-12 00:00:00 │ 2026-01-14 00:00:00", shown.stdout)


def test_the_files_hold_the_lines_that_json_tells(service: Service, tmp_path: Path) -> None:
    sheet, columns = tmp_path / "lines.csv", tmp_path / "lines.parquet"
    whole = told(tally(*bill(service, "--json", "--csv", str(sheet), "--parquet", str(columns))))
    lines = whole["lines"]
    assert sum(Decimal(line["amount"]) for line in lines) == Decimal(whole["statement"]["total"])
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{key: str(value or "") for key, value in line.items()} for line in lines]
    table = parquet.read_table(columns)
    types = {field.name: str(field.type) for field in table.schema}
    assert types["from_at"] == "timestamp[us, tz=UTC]"
    assert (types["quantity"], types["amount"]) == ("decimal128(38, 9)", "decimal128(38, 4)")
    assert [read_back(row) for row in table.to_pylist()] == [read_back(line) for line in lines]
    assert json.loads(table.schema.metadata[b"tallystick.statement"]) == whole["statement"]


def read_back(line: dict[str, Any]) -> dict[str, Any]:
    """Numbers as numbers, times as the service writes them."""
    return {
        name: Decimal(value)
        if name in ("quantity", "unit_price", "amount")
        else value.isoformat().replace("+00:00", "Z")
        if hasattr(value, "isoformat")
        else value
        for name, value in line.items()
    }


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        assert not {name for name, _ in attrs if name.startswith("on")} | {"src", "href"} & {
            name for name, _ in attrs
        }

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_needs_nothing_from_elsewhere_and_escapes_names(
    service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "bill.html"
    answer = tally(*bill(service, "--html", str(file)))
    assert answer.returncode == 0, answer.stderr
    page = Page(file.read_text())
    assert not page.elements & {"script", "img", "link", "iframe", "object"}
    assert {"svg", "rect", "table"} < page.elements
    assert HOSTILE in page.text
    assert "<img src=x onerror=alert(2)>" in page.text
    assert "35.91 EUR" in page.text


def test_what_no_bill_can_be_made_of_is_explained(service: Service, tmp_path: Path) -> None:
    cpu = {**example(), "prices": example()["prices"][:1]}
    with ServiceClient(service.url) as client:
        client.write(Write("PUT", "/v1/price-books/cpu-only", cpu))
    for arguments, said in (
        (bill(service, book="nobody"), "`tally prices list` tells which there are"),
        (bill(service, book="cpu-only"), "there is no price for DISK_GB of the claim of web-1"),
        (["bill", "x", "2026-1", *bill(service)[3:]], "A period is a year, a month or a day"),
        (["bill", "x", "2999", *bill(service)[3:]], "at_in_future"),
        (bill(service, "--csv", str(tmp_path / "no" / "x")), "cannot be written: No such file"),
        (bill(service, "--html", str(tmp_path)), "cannot be written: Is a directory"),
    ):
        answer = tally(*arguments)
        assert answer.returncode == 1
        assert said in answer.stderr
        assert "Traceback" not in answer.stderr
    assert not list(tmp_path.parent.glob("*.unfinished"))


class Meddler(ServiceClient):
    """Another client writes a claim of the past, once, between the statement and its lines."""

    meddled = False

    def pages(self, path: str, limit: int | None = None, **params: Any) -> Iterator[Body]:
        if not self.meddled:
            self.meddled = True
            ask(self, "late", 20, {"VCPU": 1})
            self.write(Write("DELETE", "/v1/claims/late", at=DAY.format(21)))
        return super().pages(path, limit, **params)


def test_a_ledger_that_moves_on_between_two_reads_is_read_again(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    with Meddler(service.url) as client:
        found = read_bill(client, HOSTILE, "2026-01", "standard", None)
    assert "The ledger moved on" in capsys.readouterr().err
    assert "late" in {line["consumer_id"] for line in found.lines}
