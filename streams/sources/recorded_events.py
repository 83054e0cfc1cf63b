"""The events of a recording. Pure; not for reading files (streams.recording).

- A post with counters of an unknown instant: seen at its date, without counters.
- A post with counters and no view samples: seen at the instant of the counters, with them.
- A post with counters and view samples: seen without counters at the earliest of their instants;
  then every sample, and the post's own counters, as samples at their instants.
- A post with a later edit: seen without the edit, and edited at the time of the edit.
- Subscribers: as sampled. A channel's description: when the channel is first observed; later
  descriptions at their instants.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from streams.counters import NOT_SAID, Counters, by_name
from streams.events import (
    MAX_POSTS,
    ChannelDescribed,
    CountersSampled,
    Event,
    Post,
    PostsEdited,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import ChannelId, PostId
from streams.limits import SKEW_MS
from streams.recording import (
    SUBSCRIBER_SAMPLES,
    VIEW_SAMPLES,
    RecordedChannel,
    RecordedPost,
    Recording,
)

SOURCE = "recording"
#: The post of entries about a channel.
NO_POST = PostId(0)


class _Edited(NamedTuple):
    """A post after an edit."""

    post: Post


Payload = ChannelDescribed | Post | _Edited | Counters | SubscribersSampled
#: The order at one instant: description, posts seen, edited, their samples, subscribers.
_RANKS = {ChannelDescribed: 0, Post: 1, _Edited: 2, Counters: 3, SubscribersSampled: 4}
_order = attrgetter("at_ms", "rank", "channel_id", "post_id")
_message = attrgetter("at_ms", "rank", "channel_id")


class _Entry(NamedTuple):
    at_ms: int
    rank: int
    channel_id: ChannelId
    post_id: PostId
    payload: Payload


def events_of(recording: Recording) -> Iterator[Event]:
    """All events by observed time, over all channels; the same for the same recording.

    An event has at most MAX_POSTS posts of one channel and one instant. Every row of a post and
    every distinct sample appears exactly once. Needs memory for all rows, because it sorts them.
    """
    entries = sorted(_entries(recording), key=_order)
    oldest_ms = _oldest_posts(entries)
    for _, group in groupby(entries, key=_message):
        together = list(group)
        for start in range(0, len(together), MAX_POSTS):
            yield _event(together[start : start + MAX_POSTS], oldest_ms)


def _entries(recording: Recording) -> list[_Entry]:
    posts = list(recording.posts())
    samples = _samples(recording, posts)
    entries = [*_posts(posts, samples), *_subscribers(recording)]
    entries += [
        _entry(at_ms, channel_id, counters, post_id)
        for (channel_id, post_id, at_ms), counters in samples.items()
    ]
    return [*entries, *_descriptions(recording, entries)]


def _oldest_posts(entries: Iterable[_Entry]) -> dict[ChannelId, int]:
    """The start of a recording's complete posts, per channel: the date of its oldest post."""
    oldest_ms: dict[ChannelId, int] = {}
    for entry in entries:
        if isinstance(entry.payload, Post):
            date_ms = entry.payload.date_ms
            oldest_ms[entry.channel_id] = min(date_ms, oldest_ms.get(entry.channel_id, date_ms))
    return oldest_ms


def _samples(
    recording: Recording, posts: Iterable[RecordedPost]
) -> dict[tuple[ChannelId, PostId, int], Counters]:
    """View samples by post and instant; the last row of an instant counts."""
    published_ms: dict[tuple[ChannelId, PostId], int] = {}
    for row in posts:
        key = (row.channel_id, row.post.post_id)
        published_ms[key] = min(row.post.date_ms, published_ms.get(key, row.post.date_ms))
    samples, rows = {}, 0
    for sample in recording.view_samples(published_ms):
        samples[sample.channel_id, sample.post_id, sample.sampled_at_ms] = Counters(sample.views)
        rows += 1
    recording.note_merged(VIEW_SAMPLES, rows - len(samples))
    return samples


def _posts(
    rows: Iterable[RecordedPost], samples: dict[tuple[ChannelId, PostId, int], Counters]
) -> Iterator[_Entry]:
    """Posts as seen. Adds the own counters of posts with samples to `samples`."""
    first_ms: dict[tuple[ChannelId, PostId], int] = {}
    for channel_id, post_id, sampled_ms in samples:
        key = (channel_id, post_id)
        first_ms[key] = min(sampled_ms, first_ms.get(key, sampled_ms))
    for row in rows:
        post, at_ms = row.post, row.sampled_at_ms
        if at_ms is None:
            yield from _seen(post.date_ms, row.channel_id, post)
        elif (row.channel_id, post.post_id) not in first_ms:
            yield from _seen(at_ms, row.channel_id, post)
        else:
            first = first_ms[row.channel_id, post.post_id]
            yield from _seen(min(first, at_ms), row.channel_id, _without_counters(post))
            _put_own_counters(samples, row, at_ms)


def _seen(at_ms: int, channel_id: ChannelId, post: Post) -> Iterator[_Entry]:
    """A post as seen at `at_ms`; a later edit becomes a separate entry."""
    edited_ms = post.edit_date_ms
    if edited_ms is not None and edited_ms > at_ms + SKEW_MS:
        yield _entry(edited_ms, channel_id, _Edited(_without_counters(post)), post.post_id)
        post = msgspec.structs.replace(post, edit_date_ms=None)
    yield _entry(at_ms, channel_id, post, post.post_id)


def _without_counters(post: Post) -> Post:
    return msgspec.structs.replace(post, **by_name(NOT_SAID))


def _put_own_counters(
    samples: dict[tuple[ChannelId, PostId, int], Counters], row: RecordedPost, at_ms: int
) -> None:
    post = row.post
    total = None if post.reactions is None else sum(post.reactions.values())
    own = Counters(post.views, post.forwards, post.replies, total)
    if own != NOT_SAID:
        key = (row.channel_id, post.post_id, at_ms)
        samples[key] = samples[key].completed_by(own) if key in samples else own


def _subscribers(recording: Recording) -> Iterator[_Entry]:
    """The last sample of an instant counts; a description counts only where there is no sample."""
    counts: dict[tuple[ChannelId, int], int] = {}
    rows = 0
    for sample in recording.subscriber_samples():
        counts[sample.channel_id, sample.sampled_at_ms] = sample.subscribers
        rows += 1
    recording.note_merged(SUBSCRIBER_SAMPLES, rows - len(counts))
    for channel in recording.descriptions():
        if channel.subscribers is not None and channel.subscribers_at_ms is not None:
            counts.setdefault((channel.channel_id, channel.subscribers_at_ms), channel.subscribers)
    for (channel_id, at_ms), subscribers in counts.items():
        event = SubscribersSampled(
            channel_id=channel_id, observed_at_ms=at_ms, source=SOURCE, subscribers=subscribers
        )
        yield _entry(at_ms, channel_id, event)


def _descriptions(recording: Recording, entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """Skips a channel without other entries: its description would have no instant."""
    first_ms: dict[ChannelId, int] = {}
    for entry in entries:
        first_ms[entry.channel_id] = min(entry.at_ms, first_ms.get(entry.channel_id, entry.at_ms))
    told: dict[ChannelId, list[RecordedChannel]] = {}
    for channel in recording.descriptions():
        told.setdefault(channel.channel_id, []).append(channel)
    for channel in recording.channels():
        if (first := first_ms.get(channel.channel_id)) is not None:
            yield from _described(told.get(channel.channel_id, [channel]), first)


def _described(rows: Sequence[RecordedChannel], first_ms: int) -> Iterator[_Entry]:
    """The descriptions of one channel: the earliest at `first_ms`, later ones if they differ."""
    before: ChannelDescribed | None = None
    for row in sorted(rows, key=lambda row: row.subscribers_at_ms or 0):
        at_ms = first_ms if before is None else max(first_ms, row.subscribers_at_ms or 0)
        event = ChannelDescribed(
            channel_id=row.channel_id,
            observed_at_ms=at_ms,
            source=SOURCE,
            title=row.title,
            username=row.username,
        )
        if before is None or (before.title, before.username) != (row.title, row.username):
            before = event
            if row.title or row.username:
                yield _entry(at_ms, row.channel_id, event)


def _entry(
    at_ms: int, channel_id: ChannelId, payload: Payload, post_id: PostId = NO_POST
) -> _Entry:
    return _Entry(at_ms, _RANKS[type(payload)], channel_id, post_id, payload)


def _event(together: Sequence[_Entry], oldest_ms: Mapping[ChannelId, int]) -> Event:
    """One event of entries that differ only in the post."""
    first = together[0]
    if isinstance(first.payload, ChannelDescribed | SubscribersSampled):
        return first.payload
    head: dict[str, Any] = {
        "channel_id": first.channel_id,
        "observed_at_ms": first.at_ms,
        "source": SOURCE,
    }
    if posts := [entry.payload for entry in together if isinstance(entry.payload, Post)]:
        oldest = oldest_ms[first.channel_id]
        return PostsSeen(posts=posts, complete_since_ms=oldest, **head)
    if edited := [e.payload.post for e in together if isinstance(e.payload, _Edited)]:
        return PostsEdited(posts=edited, **head)
    counters = [entry.payload for entry in together if isinstance(entry.payload, Counters)]
    return CountersSampled(
        **head,
        post_ids=[entry.post_id for entry in together],
        **by_name(_column(list(values)) for values in zip(*counters, strict=True)),
    )


def _column(values: list[int | None]) -> list[int | None] | None:
    return None if all(value is None for value in values) else values
