"""What the load of the fault tests is made of: the demo's recording, and posts that take off."""

from collections.abc import Iterator, Sequence

import msgspec

from streams.events import CountersSampled, Event, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.log import Draft
from tests.agents.working import drafts_of, recorded_events

#: Further channels get ids this far apart: the busiest of four copies are in four partitions.
_APART = 1_000_000_010
_MINUTE_MS = 60_000


def observations(copies: int = 1) -> Sequence[Draft]:
    """In the order of their time: about 3,300 messages and 11 channels a copy."""
    events = sorted([*recorded_events(), *_take_off()], key=lambda event: event.observed_at_ms)
    return drafts_of([_of_copy(event, copy) for event in events for copy in range(copies)])


def _of_copy(event: Event, copy: int) -> Event:
    channel_id = ChannelId(event.channel_id + copy * _APART)
    return msgspec.structs.replace(event, channel_id=channel_id)


def _take_off() -> Iterator[Event]:
    """A sample a minute of one post: 10 views a minute, then 500, then 10 again."""
    channel_id, post_id = ChannelId(77), PostId(1)
    start_ms = recorded_events()[0].observed_at_ms
    posts = [Post(post_id, start_ms, "it takes off")]
    yield PostsSeen(channel_id=channel_id, observed_at_ms=start_ms, posts=posts)
    views = 100
    for minute in range(1, 70):
        views += 500 if 45 <= minute < 48 else 10
        yield CountersSampled(
            channel_id=channel_id,
            observed_at_ms=start_ms + minute * _MINUTE_MS,
            post_ids=[post_id],
            views=[views],
        )
