"""Cursors: they lead on where a page ended, and nothing else passes for one."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import Cursor
from api.problems import BadCall

capacity: Cursor[tuple[int, str]] = Cursor("capacity", tuple[int, str])
claims: Cursor[str] = Cursor("claims", str)


@given(st.integers(0, 2**53), st.text(max_size=300))
def test_a_cursor_leads_back_to_its_key(position: int, name: str) -> None:
    assert capacity.find(capacity.hide((position, name))) == (position, name)


def test_no_cursor_is_the_start() -> None:
    assert claims.find(None) is None


def hidden(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "!!!!",
        "\x00",
        hidden(""),
        hidden("[]"),
        hidden('["capacity"]'),
        hidden('["capacity", ["1", "VCPU"]]'),
        hidden('["capacity", [1]]'),
        hidden('["capacity", [1.5, "VCPU"]]'),
        hidden('["capacity", [1, "VCPU", 2]]'),
        hidden("[" * 10_000),
        claims.hide("c1"),
    ],
)
def test_what_is_no_cursor_of_this_list_is_refused(text: str) -> None:
    with pytest.raises(BadCall) as refused:
        capacity.find(text)
    assert refused.value.code == "bad_cursor"


@given(st.text(max_size=200))
def test_no_text_that_nobody_hid_leads_anywhere(text: str) -> None:
    with pytest.raises(BadCall) as refused:
        claims.find(text)
    assert refused.value.code == "bad_cursor"


def test_a_cursor_of_another_list_with_the_same_keys_is_refused() -> None:
    with pytest.raises(BadCall):
        Cursor[str]("requests", str).find(claims.hide("c1"))
