"""What is beyond a limit is decoded all the same, and what is no message is not."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given

from streams.codec import decode_checked, decode_event, encode
from streams.events import CountersSampled, Event, Post, PostsDeleted, PostsSeen
from streams.ids import ChannelId, PostId
from streams.limits import HIGHEST_COUNTER
from streams.unlimited import Unlimited
from tests.streams.strategies import observations

UNLIMITED = Unlimited(get_args(Event))
CHANNEL = ChannelId(42)
T = 1_700_000_000_000


@given(observations)
def test_every_event_is_decoded_as_with_limits(event: Event) -> None:
    assert UNLIMITED.decode(encode(event)) == event


@pytest.mark.parametrize(
    "event",
    [
        CountersSampled(channel_id=CHANNEL, observed_at_ms=T, post_ids=[PostId(1)], views=[-1]),
        CountersSampled(channel_id=CHANNEL, observed_at_ms=T, post_ids=[PostId(0)], views=[1]),
        PostsSeen(channel_id=CHANNEL, observed_at_ms=T, posts=[Post(PostId(-7), T)]),
        PostsSeen(
            channel_id=CHANNEL,
            observed_at_ms=T,
            posts=[Post(PostId(1), T, reactions={"x": HIGHEST_COUNTER + 1})],
        ),
        PostsDeleted(channel_id=CHANNEL, observed_at_ms=T, post_ids=[PostId(2**60)]),
    ],
)
def test_a_number_beyond_its_limit_is_told_and_kept(event: Event) -> None:
    assert decode_checked(encode(event)) == (event, False)
    assert decode_event(encode(event)) == event


def test_a_number_at_its_limit_is_within() -> None:
    event = CountersSampled(
        channel_id=CHANNEL,
        observed_at_ms=T,
        post_ids=[PostId(1), PostId(HIGHEST_COUNTER)],
        views=[0, HIGHEST_COUNTER],
        replies=[None, 1],
    )
    assert decode_checked(encode(event)) == (event, True)


def test_another_shape_is_no_message() -> None:
    with pytest.raises(msgspec.ValidationError):
        UNLIMITED.decode(msgspec.msgpack.encode({"kind": "posts_deleted", "post_ids": "all"}))
