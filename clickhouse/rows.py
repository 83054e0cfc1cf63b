"""Observations as rows of history. Pure: the same events in the same order make the same rows.

For the messages of telegram.updates only; `upserts` has the rows of the agents' messages.
"""

from collections.abc import Sequence
from typing import assert_never

from clickhouse.columns import Columns
from clickhouse.history import Insert
from streams.counters import NAMES, NOT_SAID
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
from streams.units import DAY_MS, HOUR_MS

_INT64 = 2**63


class ObservedRows:
    """Collects events one by one; `inserts` returns their rows. Never waits."""

    def __init__(self) -> None:
        self.posts = Columns(
            "posts",
            *("channel_id", "post_id", "date", "text", "media", "album_id", "forwarded_from"),
            *("edited", "source", "observed_at"),
        )
        self.deletions = Columns("post_deletions", "channel_id", "post_id", "source", "observed_at")
        self.samples = Columns(
            "post_samples",
            *("channel_id", "post_id", "observed_at", "source"),
            *NAMES,
        )
        self.subscribers = Columns(
            "subscriber_samples", "channel_id", "observed_at", "source", "subscribers"
        )
        #: By channel, source and reading: the oldest post and the last observation.
        self._read: dict[tuple[int, str, int], tuple[int, int]] = {}
        self._hours: dict[tuple[int, int, str, str], tuple[int, int]] = {}

    def take(self, event: Event) -> None:
        match event:
            case CountersSampled():
                self._take_counters(event)
            case PostsSeen():
                self._take_posts(event, edited=False)
                self._take_reading(event)
            case PostsEdited():
                self._take_posts(event, edited=True)
            case PostsDeleted():
                self._take_deletions(event)
            case SubscribersSampled():
                self.subscribers.add(
                    event.channel_id, event.observed_at_ms, event.source, event.subscribers
                )
                self._note(event, "subscribers")
            case ChannelStatus() if event.status != "live":
                # A status other than `live` is not an observation of the channel.
                pass
            case ChannelStatus() | ChannelDescribed() | StatisticsRead():
                self._note(event, "channel")
            case _:
                assert_never(event)

    def __len__(self) -> int:
        tables = (self.posts, self.deletions, self.samples, self.subscribers)
        return sum(map(len, tables)) + len(self._hours) + len(self._read)

    def inserts(self, token: str) -> Sequence[Insert]:
        """One insertion per table with rows, in a fixed order; all with `token`."""
        observed = (self.posts, self.deletions, self.samples, self.subscribers)
        tables = (*observed, self._readings(), self._noted())
        return [Insert(table.table, token, table.by_name) for table in tables if len(table)]

    def _take_counters(self, event: CountersSampled) -> None:
        count = len(event.post_ids)
        unknown = [None] * count
        self.samples.extend(
            [event.channel_id] * count,
            event.post_ids,
            [event.observed_at_ms] * count,
            [event.source] * count,
            event.views or unknown,
            event.forwards or unknown,
            event.replies or unknown,
            event.reactions or unknown,
        )
        self._note(event, "counters")

    def _take_posts(self, event: PostsSeen | PostsEdited, *, edited: bool) -> None:
        for post in event.posts:
            self._take_post(event, post, edited=edited or post.edit_date_ms is not None)
        self._note(event, "posts")

    def _take_reading(self, event: PostsSeen) -> None:
        """Record a reading. A collector has one per channel; a recording states each start."""
        since_ms = event.complete_since_ms
        if since_ms is None:
            if event.source == "import" or not _is_read_in_order(event):
                return
            since_ms, reading = min(post.date_ms for post in event.posts), 0
        else:
            reading = since_ms
        key = (event.channel_id, event.source, reading)
        known = self._read.get(key, (since_ms, event.observed_at_ms))
        self._read[key] = (min(known[0], since_ms), max(known[1], event.observed_at_ms))

    def _take_post(self, event: PostsSeen | PostsEdited, post: Post, *, edited: bool) -> None:
        self.posts.add(
            event.channel_id,
            post.post_id,
            post.date_ms,
            post.text,
            post.media,
            _int64(post.album_id),
            post.forwarded_from,
            edited,
            event.source,
            event.observed_at_ms,
        )
        reactions = None if post.reactions is None else sum(post.reactions.values())
        counters = (post.views, post.forwards, post.replies, reactions)
        if counters != NOT_SAID:
            self.samples.add(
                event.channel_id, post.post_id, event.observed_at_ms, event.source, *counters
            )
            self._note(event, "counters")

    def _take_deletions(self, event: PostsDeleted) -> None:
        for post_id in event.post_ids:
            self.deletions.add(event.channel_id, post_id, event.source, event.observed_at_ms)
        self._note(event, "posts")

    def _note(self, event: Event, what: str) -> None:
        at_ms = event.observed_at_ms
        key = (event.channel_id, at_ms // HOUR_MS, what, event.source)
        first_ms, last_ms = self._hours.get(key, (at_ms, at_ms))
        self._hours[key] = (min(first_ms, at_ms), max(last_ms, at_ms))

    def _readings(self) -> Columns:
        readings = Columns("read_spans", "channel_id", "source", "reading", "since", "until_at")
        for (channel_id, source, reading), (since_ms, until_ms) in self._read.items():
            readings.add(channel_id, source, reading, since_ms, until_ms)
        return readings

    def _noted(self) -> Columns:
        noted = Columns(
            "observed_hours", "channel_id", "hour", "what", "source", "first_at", "last_at"
        )
        for (channel_id, hour, what, source), (first_ms, last_ms) in self._hours.items():
            noted.add(channel_id, hour * 3600, what, source, first_ms, last_ms)
        return noted


def _is_read_in_order(event: PostsSeen) -> bool:
    """True for a new post or a page of history, not for a single old post pushed by a reaction."""
    match event.posts:
        case []:
            return False
        case [post]:
            return event.observed_at_ms - post.date_ms <= DAY_MS
        case _:
            return True


def _int64(number: int | None) -> int | None:
    """`number` if it is a signed 64-bit one, as Telegram's album ids are; else None."""
    return number if number is not None and -_INT64 <= number < _INT64 else None
