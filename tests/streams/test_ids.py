"""The spellings of a channel."""

import pytest
from hypothesis import given

from streams.ids import ChannelId, InvalidChannel, bare_id, marked_id, parse_channel
from tests.streams.strategies import channel_ids


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("durov", "durov"),
        ("@Durov", "durov"),
        ("1006503122", 1006503122),
        ("-1001006503122", 1006503122),
    ],
)
def test_every_spelling_is_read(text: str, channel: int | str) -> None:
    assert parse_channel(text) == channel


@pytest.mark.parametrize(
    "text", ["", "@", "a b", "0", "-5", "-1000000000000", "x" * 40, "1e5", "../x"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidChannel):
        parse_channel(text)


@given(channel_ids)
def test_marked_and_bare_spell_the_same_channel(channel_id: ChannelId) -> None:
    assert bare_id(marked_id(channel_id)) == bare_id(channel_id) == channel_id
    assert parse_channel(str(marked_id(channel_id))) == channel_id
