"""What calls may say in headers, read as the RFCs mean it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.preconditions import (
    header,
    matches_none,
    read_idempotency_key,
    read_if_match,
    read_ledger_time,
)
from api.problems import BadCall
from domain.flavor import Flavor


def flavor_at(version: int) -> Flavor:
    flavor = Flavor("m1")
    flavor.version = version
    return flavor


@pytest.mark.parametrize(
    ("value", "version", "accepted"),
    [
        ('"7"', 7, True),
        ('"7"', 8, False),
        ('"6", "7"', 7, True),
        ('"6","8"', 7, False),
        ('W/"7"', 7, False),
        ('W/"7", "7"', 7, True),
        ('"seven"', 7, False),
        ('""', 0, False),
        ("*", 7, True),
        ("*", 0, False),
        (' "7" ', 7, True),
    ],
)
def test_a_version_is_accepted_if_a_strong_tag_names_it(
    value: str, version: int, accepted: bool
) -> None:
    expected = read_if_match(value).expected(flavor_at(version))
    assert (expected == version) is accepted
    assert expected is not None


def test_without_a_precondition_every_version_will_do() -> None:
    assert read_if_match(None).expected(flavor_at(7)) is None


@pytest.mark.parametrize("value", ["7", "", '"7', '"7" "8"', '"é"', '"7", x', "W/7", "* , *"])
def test_an_if_match_that_is_no_list_of_tags_is_refused(value: str) -> None:
    with pytest.raises(BadCall) as refused:
        read_if_match(value)
    assert refused.value.code == "bad_if_match"


@pytest.mark.parametrize(
    ("value", "known"),
    [('"7"', True), ('W/"7"', True), ('"6", "7"', True), ("*", True), ('"6"', False)],
)
def test_a_client_that_has_the_version_is_told_so(value: str, known: bool) -> None:
    assert matches_none(value, 7) is known
    assert matches_none(None, 7) is False


def test_a_header_on_several_lines_is_one_list() -> None:
    lines = [(b"if-match", b'"6"'), (b"host", b"x"), (b"if-match", b'"7"')]
    assert header(lines, b"if-match") == '"6", "7"'
    assert header(lines, b"if-none-match") is None


def test_a_key_is_visible_ascii_of_limited_length() -> None:
    assert read_idempotency_key(None) is None
    assert read_idempotency_key(b"a-!~" + b"x" * 251) == "a-!~" + "x" * 251
    for bad in (b"", b"x" * 256, b"a b", b"\xc3\xa9", b"a\x00", b"a\n"):
        with pytest.raises(BadCall):
            read_idempotency_key(bad)


def test_a_ledger_time_is_rfc_3339() -> None:
    assert read_ledger_time(None) is None
    assert read_ledger_time(b"2026-11-23T14:32:00+01:00") == datetime(
        2026, 11, 23, 13, 32, tzinfo=UTC
    )
    for bad in (b"", b"2026-11-23T14:32:00", b"1700000000", b"\xff"):
        with pytest.raises(BadCall) as refused:
            read_ledger_time(bad)
        assert refused.value.code == "bad_time"
