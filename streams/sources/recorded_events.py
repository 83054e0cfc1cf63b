"""The events that a recording stands for. Pure; not for reading files (streams.recording).

- A post whose counters' instant is not known: seen at its date, without counters.
- A post with counters and no view samples: seen at their instant, with them.
- A post with counters and view samples: seen without counters at the first sample; then every
  sample, and the post's own counters, as samples at their instants.
- Subscribers as sampled; a channel's description where the channel is first observed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec

from streams.events import (
    MAX_POSTS,
    ChannelDescribed,
    CountersSampled,
    Event,
    Post,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import ChannelId, PostId
from streams.recording import RecordedPost, Recording

SOURCE = "recording"
#: Which messages a recording gives, and in which order. Changes with anything of that, so that
#: nobody goes on with a replay that another mapping began.
MAPPING = 2
#: Stands where an entry is of the channel, not of a post.
NO_POST = PostId(0)


class _Counters(NamedTuple):
    """One post's counters at one instant."""

    views: int | None = None
    forwards: int | None = None
    replies: int | None = None
    reactions: int | None = None

    def completed_by(self, other: "_Counters") -> "_Counters":
        return _Counters(*(b if a is None else a for a, b in zip(self, other, strict=True)))


Payload = ChannelDescribed | Post | _Counters | SubscribersSampled
#: At one instant a channel is described first, then its posts are seen, then sampled.
_RANKS = {ChannelDescribed: 0, Post: 1, _Counters: 2, SubscribersSampled: 3}
_order = attrgetter("at_ms", "rank", "channel_id", "post_id")
_message = attrgetter("at_ms", "rank", "channel_id")


class _Entry(NamedTuple):
    at_ms: int
    rank: int
    channel_id: ChannelId
    post_id: PostId
    payload: Payload


def events_of(recording: Recording) -> Iterator[Event]:
    """In the order of their observed time over all channels; the same for the same recording.

    A message carries at most MAX_POSTS posts of one channel and one instant. Every row of a post
    and every sample comes exactly once. All rows are held in memory, to be ordered.
    """
    entries = sorted(_entries(recording), key=_order)
    oldest_ms = _oldest_posts(entries)
    for _, group in groupby(entries, key=_message):
        together = list(group)
        for start in range(0, len(together), MAX_POSTS):
            yield _event(together[start : start + MAX_POSTS], oldest_ms)


def _entries(recording: Recording) -> list[_Entry]:
    samples = {
        (sample.channel_id, sample.post_id, sample.sampled_at_ms): _Counters(sample.views)
        for sample in recording.view_samples()
    }
    entries = [*_posts(recording.posts(), samples), *_subscribers(recording)]
    entries += [
        _entry(at_ms, channel_id, counters, post_id)
        for (channel_id, post_id, at_ms), counters in samples.items()
    ]
    return [*entries, *_descriptions(recording, entries)]


def _oldest_posts(entries: Iterable[_Entry]) -> dict[ChannelId, int]:
    """From when on a recording tells all posts of each channel."""
    oldest_ms: dict[ChannelId, int] = {}
    for entry in entries:
        if isinstance(entry.payload, Post):
            date_ms = entry.payload.date_ms
            oldest_ms[entry.channel_id] = min(date_ms, oldest_ms.get(entry.channel_id, date_ms))
    return oldest_ms


def _posts(
    rows: Iterable[RecordedPost], samples: dict[tuple[ChannelId, PostId, int], _Counters]
) -> Iterator[_Entry]:
    """Posts as they are seen; the own counters of those with samples join the `samples`."""
    first_ms: dict[tuple[ChannelId, PostId], int] = {}
    for channel_id, post_id, sampled_ms in samples:
        key = (channel_id, post_id)
        first_ms[key] = min(sampled_ms, first_ms.get(key, sampled_ms))
    for row in rows:
        post, at_ms = row.post, row.sampled_at_ms
        if at_ms is None:
            yield _entry(post.date_ms, row.channel_id, post, post.post_id)
        elif (row.channel_id, post.post_id) not in first_ms:
            yield _entry(at_ms, row.channel_id, post, post.post_id)
        else:
            seen = msgspec.structs.replace(
                post, views=None, forwards=None, replies=None, reactions=None
            )
            first = first_ms[row.channel_id, post.post_id]
            yield _entry(min(first, at_ms), row.channel_id, seen, post.post_id)
            _put_own_counters(samples, row, at_ms)


def _put_own_counters(
    samples: dict[tuple[ChannelId, PostId, int], _Counters], row: RecordedPost, at_ms: int
) -> None:
    post = row.post
    total = None if post.reactions is None else sum(post.reactions.values())
    own = _Counters(post.views, post.forwards, post.replies, total)
    if any(counter is not None for counter in own):
        key = (row.channel_id, post.post_id, at_ms)
        samples[key] = samples[key].completed_by(own) if key in samples else own


def _subscribers(recording: Recording) -> Iterator[_Entry]:
    counts = {
        (s.channel_id, s.sampled_at_ms): s.subscribers for s in recording.subscriber_samples()
    }
    for channel in recording.channels():
        if channel.subscribers is not None and channel.subscribers_at_ms is not None:
            counts.setdefault((channel.channel_id, channel.subscribers_at_ms), channel.subscribers)
    for (channel_id, at_ms), subscribers in counts.items():
        event = SubscribersSampled(
            channel_id=channel_id, observed_at_ms=at_ms, source=SOURCE, subscribers=subscribers
        )
        yield _entry(at_ms, channel_id, event)


def _descriptions(recording: Recording, entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """A channel of which nothing was ever observed has no instant, and so no description."""
    first_ms: dict[ChannelId, int] = {}
    for entry in entries:
        first_ms[entry.channel_id] = min(entry.at_ms, first_ms.get(entry.channel_id, entry.at_ms))
    for channel in recording.channels():
        at_ms = first_ms.get(channel.channel_id)
        if at_ms is not None and (channel.title or channel.username):
            event = ChannelDescribed(
                channel_id=channel.channel_id,
                observed_at_ms=at_ms,
                source=SOURCE,
                title=channel.title,
                username=channel.username,
            )
            yield _entry(at_ms, channel.channel_id, event)


def _entry(
    at_ms: int, channel_id: ChannelId, payload: Payload, post_id: PostId = NO_POST
) -> _Entry:
    return _Entry(at_ms, _RANKS[type(payload)], channel_id, post_id, payload)


def _event(together: Sequence[_Entry], oldest_ms: Mapping[ChannelId, int]) -> Event:
    """One message of entries that differ in the post alone."""
    first = together[0]
    if isinstance(first.payload, ChannelDescribed | SubscribersSampled):
        return first.payload
    posts = [entry.payload for entry in together if isinstance(entry.payload, Post)]
    if posts:
        return PostsSeen(
            channel_id=first.channel_id,
            observed_at_ms=first.at_ms,
            source=SOURCE,
            posts=posts,
            complete_since_ms=oldest_ms[first.channel_id],
        )
    counters = [entry.payload for entry in together if isinstance(entry.payload, _Counters)]
    return CountersSampled(
        channel_id=first.channel_id,
        observed_at_ms=first.at_ms,
        source=SOURCE,
        post_ids=[entry.post_id for entry in together],
        views=_column([counter.views for counter in counters]),
        forwards=_column([counter.forwards for counter in counters]),
        replies=_column([counter.replies for counter in counters]),
        reactions=_column([counter.reactions for counter in counters]),
    )


def _column(values: list[int | None]) -> list[int | None] | None:
    return None if all(value is None for value in values) else values
