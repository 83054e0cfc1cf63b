"""Cursors are text for the client and a place in the log for us."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import cursor
from api.cursor import Position
from streams.cursor_text import InvalidCursor
from streams.log import Partition
from streams.topics import ALERTS, WINDOWS

POSITIONS = st.dictionaries(
    st.builds(Partition, st.sampled_from([WINDOWS.name, ALERTS.name]), st.integers(0, 64)),
    st.builds(Position, st.integers(0, 2**62), st.none() | st.integers(0, 2**50)),
)


@given(POSITIONS)
def test_round_trip(positions: dict[Partition, Position]) -> None:
    text = cursor.encode(positions)
    assert cursor.decode(text) == positions
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidCursor):
        cursor.decode(text)


@given(POSITIONS, st.data())
def test_a_changed_character_is_noticed(
    positions: dict[Partition, Position], data: st.DataObject
) -> None:
    text = cursor.encode(positions)
    place = data.draw(st.integers(0, len(text) - 3))
    other = "A" if text[place] != "A" else "B"
    with pytest.raises(InvalidCursor):
        cursor.decode(text[:place] + other + text[place + 1 :])
