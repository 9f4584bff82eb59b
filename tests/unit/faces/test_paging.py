"""Cursors come back as the key they were made of; anything else is refused, never a defect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.faces.edge.paging import cursor_after, cursor_key
from shared_models.values.faults.common import InputNotValid


@given(st.text(max_size=80), st.integers(-(2**62), 2**62))
def test_a_cursor_comes_back(text: str, number: int) -> None:
    assert cursor_key(cursor_after(text, number), str, int) == (text, number)


def test_no_cursor_is_the_first_page() -> None:
    assert cursor_key(None, str) is None and cursor_key("", str) is None


@given(st.text(max_size=60))
def test_anything_else_is_refused(text: str) -> None:
    try:
        key = cursor_key(text, str, int)
    except InputNotValid:
        return
    assert key is None or (isinstance(key[0], str) and isinstance(key[1], int))


@pytest.mark.parametrize(
    "cursor", [cursor_after("a"), cursor_after("a", "b"), cursor_after(1, 2), cursor_after("a", 1, 2)]
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(InputNotValid):
        cursor_key(cursor, str, int)
