"""What a decoded event must say to be processed. Bytes in, an event in its plain form out."""

from collections.abc import Collection, Sequence
from typing import cast

import msgspec

from agents.reasons import Rejected, dead_reason
from streams.codec import Undecodable, decode_event
from streams.events import (
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import InvalidChannel, PostId, bare_id

#: How far the clocks of Telegram, of the observer and of this process may lie apart.
SKEW_MS = 300_000
#: The year 2100: beyond it a time is not in milliseconds.
LAST_MS = 4_102_444_800_000
#: What JSON carries exactly.
HIGHEST_COUNTER = 2**53 - 1


def read_event(data: bytes, now_ms: int = LAST_MS) -> Event:
    """Decode and check a message of telegram.updates that was not observed after now.

    Raises Rejected.
    """
    try:
        event = decode_event(data)
    except Undecodable as error:
        raise Rejected(dead_reason(error.reason), str(error)) from error
    return checked(event, now_ms)


def checked(event: Event, now_ms: int = LAST_MS) -> Event:
    """The event under its bare channel id. Raises Rejected."""
    if not 0 < event.observed_at_ms < LAST_MS:
        raise Rejected("wrong_shape", f"{event.observed_at_ms} is no time in milliseconds")
    if event.observed_at_ms > now_ms + SKEW_MS:
        # It would move its channel's watermark on for good, and close what is still to come.
        ahead_s = (event.observed_at_ms - now_ms) // 1000
        raise Rejected("future_date", f"observed {ahead_s} s after now: is a clock wrong?")
    match event:
        case CountersSampled():
            _check_sample(event)
        case PostsSeen() | PostsEdited():
            _check_posts(event.posts, event.observed_at_ms)
        case PostsDeleted():
            _check_ids(event.post_ids)
        case SubscribersSampled():
            _check_counters((event.subscribers,))
    return _bare(event)


def _bare(event: Event) -> Event:
    try:
        channel_id = bare_id(event.channel_id)
    except InvalidChannel as error:
        raise Rejected("wrong_channel", str(error)) from error
    if channel_id == event.channel_id:
        return event
    return msgspec.structs.replace(event, channel_id=channel_id)


def _check_sample(event: CountersSampled) -> None:
    _check_ids(event.post_ids)
    length = len(event.post_ids)
    for column in (event.views, event.forwards, event.replies, event.reactions):
        if column is not None:
            if len(column) != length:
                raise Rejected("wrong_shape", f"{len(column)} counters of {length} posts")
            _check_counters(column)


def _check_posts(posts: Sequence[Post], observed_at_ms: int) -> None:
    _check_ids([post.post_id for post in posts])
    for post in posts:
        if post.date_ms > observed_at_ms + SKEW_MS:
            raise Rejected("future_date", f"post {post.post_id} is dated after its observation")
        if post.date_ms < 0:
            raise Rejected("wrong_shape", f"{post.date_ms} is no time in milliseconds")
        _check_counters((post.views, post.forwards, post.replies))
        if post.reactions:
            _check_counters(post.reactions.values())


def _check_ids(post_ids: Sequence[PostId]) -> None:
    if post_ids and not 0 < min(post_ids) <= max(post_ids) <= HIGHEST_COUNTER:
        raise Rejected("wrong_shape", "a post id is not above 0")


def _check_counters(counters: Collection[int | None]) -> None:
    if None in counters:
        counters = [counter for counter in counters if counter is not None]
    known = cast("Collection[int]", counters)
    lowest, highest = min(known, default=0), max(known, default=0)
    if lowest < 0:
        raise Rejected("negative_counter", f"a counter of {lowest}")
    if highest > HIGHEST_COUNTER:
        raise Rejected("wrong_shape", f"a counter of {highest}")
