from collections.abc import Mapping

import msgspec
import pytest

from agents.engine.reasons import DeadReason, Rejected
from agents.updates.check import Checked, read_event
from streams.codec import encode
from streams.events import (
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import MARK, ChannelId, PostId
from streams.limits import FIRST_MS, HIGHEST_COUNTER, LAST_MS, SKEW_MS
from streams.log import FIRST_APPENDED, Record

T = 1_700_000_000_000
CHANNEL = ChannelId(42)
ONE = PostId(1)


def _sample(
    views: list[int | None] | None = None, reactions: list[int | None] | None = None
) -> CountersSampled:
    return CountersSampled(
        channel_id=CHANNEL, observed_at_ms=T, post_ids=[ONE], views=views, reactions=reactions
    )


def _seen(post: Post, at_ms: int = T) -> PostsSeen:
    return PostsSeen(channel_id=CHANNEL, observed_at_ms=at_ms, posts=[post])


def _subscribers(count: int, channel_id: int = CHANNEL) -> SubscribersSampled:
    return SubscribersSampled(channel_id=ChannelId(channel_id), observed_at_ms=T, subscribers=count)


BAD: list[tuple[Event, DeadReason]] = [
    (_sample(views=[1, 2]), "uneven_columns"),
    (_sample(reactions=[]), "uneven_columns"),
    (_sample(views=[-1]), "negative_counter"),
    (_sample(views=[HIGHEST_COUNTER + 1]), "out_of_range"),
    (_seen(Post(ONE, T + SKEW_MS + 1)), "future_date"),
    (_seen(Post(ONE, FIRST_MS - 1)), "past_date"),
    (_seen(Post(ONE, T // 1000)), "past_date"),
    (_seen(Post(PostId(0), T)), "out_of_range"),
    (_seen(Post(ONE, T), at_ms=0), "out_of_range"),
    (_seen(Post(ONE, T), at_ms=LAST_MS), "out_of_range"),
    (_seen(Post(ONE, T), at_ms=T // 1000), "past_date"),
    (_subscribers(-1), "negative_counter"),
    (_subscribers(HIGHEST_COUNTER + 1), "out_of_range"),
    (_subscribers(1, channel_id=0), "wrong_channel"),
    (_subscribers(1, channel_id=MARK), "wrong_channel"),
    (_subscribers(1, channel_id=-5), "wrong_channel"),
    (PostsDeleted(channel_id=CHANNEL, observed_at_ms=T, post_ids=[PostId(-3)]), "out_of_range"),
]


def _record(
    data: bytes, appended_ms: int = 0, headers: Mapping[str, bytes] | None = None
) -> Record:
    return Record(0, T, None, data, headers or {}, appended_ms)


@pytest.mark.parametrize(("event", "reason"), BAD)
def test_a_bad_event_is_rejected_with_its_reason(event: Event, reason: DeadReason) -> None:
    with pytest.raises(Rejected) as raised:
        read_event(_record(encode(event)))
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "broken_bytes"),
        (b"\xc1", "broken_bytes"),
        (encode(_sample([1]))[:-1], "broken_bytes"),
        (encode(msgspec.structs.replace(_sample([1]), v=99)), "unknown_version"),
        (msgspec.msgpack.encode({"kind": "counters_sampled", "v": 1}), "wrong_shape"),
        (msgspec.msgpack.encode(7), "wrong_shape"),
    ],
)
def test_bad_bytes_are_rejected_with_their_reason(data: bytes, reason: DeadReason) -> None:
    with pytest.raises(Rejected) as raised:
        read_event(_record(data))
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    "event",
    [
        _sample(views=[None], reactions=[HIGHEST_COUNTER]),
        _seen(Post(ONE, T + SKEW_MS, views=0)),
        _subscribers(0, channel_id=MARK - 1),
    ],
)
def test_what_is_just_right_passes_as_it_is(event: Event) -> None:
    found = read_event(_record(encode(event)))
    assert found.event == event
    assert not found.refused


def test_observed_five_minutes_after_it_was_appended_is_taken_and_a_millisecond_later_not() -> None:
    data = encode(_subscribers(5))
    assert read_event(_record(data, T - SKEW_MS)) == Checked(_subscribers(5))
    with pytest.raises(Rejected) as raised:
        read_event(_record(data, T - SKEW_MS - 1))
    assert raised.value.reason == "future_observation"


def test_a_message_of_another_log_is_judged_by_when_that_one_appended_it() -> None:
    copied = {FIRST_APPENDED: b"%d" % (T - SKEW_MS - 1)}
    with pytest.raises(Rejected):
        read_event(_record(encode(_subscribers(5)), T + SKEW_MS, copied))
    unreadable = {FIRST_APPENDED: b"yesterday"}
    read_event(_record(encode(_subscribers(5)), T, unreadable))


def test_a_marked_channel_id_becomes_the_bare_one() -> None:
    assert read_event(_record(encode(_subscribers(5, channel_id=-MARK - 42)))) == Checked(
        _subscribers(5)
    )
