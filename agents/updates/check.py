"""Decode and check a message of telegram.updates: bytes in, an event in its plain form out.

A message is rejected as a whole only if nothing in it is valid. Invalid posts and counters are
refused individually (agents.updates.sifting).
"""

from collections.abc import Sequence
from typing import NamedTuple, assert_never

import msgspec

from agents.engine.reasons import Rejected, dead_reason
from agents.updates.sifting import (
    Part,
    sifted_deletions,
    sifted_posts,
    sifted_sample,
)
from streams.codec import BroadcastFound, Undecodable, decode_checked
from streams.events import (
    ChannelDescribed,
    ChannelStatus,
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    StatisticsRead,
    SubscribersSampled,
)
from streams.ids import InvalidChannel, bare_id
from streams.limits import FIRST_MS, HIGHEST_COUNTER, LAST_MS, SKEW_MS
from streams.log import Record


class Checked(NamedTuple):
    """A message that can be processed."""

    event: Event
    #: The invalid posts and counters of the message, which `event` does not contain.
    refused: Sequence[Part] = ()


def read_event(record: Record) -> Checked:
    """Decode and check a message of telegram.updates.

    The result depends only on the record, never on a clock, so every reader gets the same result
    at any time. Raises Rejected if nothing in the message is valid, and BroadcastFound for a
    broadcast.
    """
    try:
        event, is_within = decode_checked(record.value or b"")
    except BroadcastFound:
        raise
    except Undecodable as error:
        raise Rejected(dead_reason(error.reason), str(error)) from error
    return checked(event, record.first_appended_ms or LAST_MS, is_within=is_within)


def checked(event: Event, appended_ms: int = LAST_MS, *, is_within: bool = False) -> Checked:
    """Return the event under its bare channel id, and its refused parts. Raises Rejected.

    An event observed after it was appended to the log is rejected as a whole. `is_within`: the
    event's counters and ids are within their limits (codec.decode_checked).
    """
    check_instant(event.observed_at_ms, appended_ms)
    event = _bare(event)
    match event:
        case CountersSampled():
            if not (is_within and _are_even(event)):
                return Checked(*sifted_sample(event))
        case PostsSeen() | PostsEdited():
            if not (is_within and _are_dated(event.posts, event.observed_at_ms)):
                return Checked(*sifted_posts(event))
        case PostsDeleted():
            if not is_within:
                return Checked(*sifted_deletions(event))
        case SubscribersSampled():
            _check_subscribers(event.subscribers)
        case ChannelDescribed() | ChannelStatus() | StatisticsRead():
            pass
        case _:
            assert_never(event)
    return Checked(event)


def _check_subscribers(subscribers: int) -> None:
    if subscribers < 0:
        raise Rejected("negative_counter", f"subscribers={subscribers}")
    if subscribers > HIGHEST_COUNTER:
        raise Rejected("out_of_range", f"subscribers={subscribers}")


def check_instant(observed_at_ms: int, appended_ms: int) -> None:
    """Raises Rejected for an invalid time, or one later than the append to the log."""
    if not 0 < observed_at_ms < LAST_MS:
        raise Rejected("out_of_range", f"observed_at_ms={observed_at_ms} is out of range")
    if observed_at_ms < FIRST_MS:
        raise Rejected("past_date", f"observed at {observed_at_ms} ms, before there was Telegram")
    if observed_at_ms > appended_ms + SKEW_MS:
        # The event would advance its channel's watermark for good, and close future windows.
        ahead_s = (observed_at_ms - appended_ms) // 1000
        detail = f"observed {ahead_s} s after the log appended it: is a clock wrong?"
        raise Rejected("future_observation", detail)


def _bare(event: Event) -> Event:
    try:
        channel_id = bare_id(event.channel_id)
    except InvalidChannel as error:
        raise Rejected("wrong_channel", str(error)) from error
    if channel_id == event.channel_id:
        return event
    return msgspec.structs.replace(event, channel_id=channel_id)


# Most messages are valid as a whole. These checks establish that at the lowest cost.


def _are_even(event: CountersSampled) -> bool:
    columns = (event.views, event.forwards, event.replies, event.reactions)
    length = len(event.post_ids)
    return all(column is None or len(column) == length for column in columns)


def _are_dated(posts: Sequence[Post], observed_at_ms: int) -> bool:
    last_ms = observed_at_ms + SKEW_MS
    return all(
        FIRST_MS <= post.date_ms <= last_ms
        and (post.edit_date_ms is None or FIRST_MS <= post.edit_date_ms <= last_ms)
        for post in posts
    )
