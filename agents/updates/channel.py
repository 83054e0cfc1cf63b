"""A channel's row: watermark, open and recently closed windows, and its newest facts."""

import msgspec

from agents.updates.albums import Leaders
from agents.updates.gaps import Gap, fill, first_gap, follow
from agents.updates.minute import Minute
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tables.rows import Row
from tables.windows import start_of

#: How many closed windows are kept, so that a replayed message sends them again.
CLOSED_KEPT = 12
#: The sizes of windows of subscribers.
WINDOW_SIZES_MS = (MINUTE_MS, HOUR_MS, DAY_MS)


class SubscriberStats(msgspec.Struct, array_like=True, gc=False):
    """The subscribers in one window, [start_ms, start_ms + size_ms)."""

    start_ms: int
    size_ms: int
    first: int
    first_ms: int
    last: int
    last_ms: int
    low: int
    high: int
    samples: int = 1

    def add(self, subscribers: int, at_ms: int) -> None:
        if at_ms < self.first_ms:
            self.first, self.first_ms = subscribers, at_ms
        if at_ms >= self.last_ms:
            self.last, self.last_ms = subscribers, at_ms
        self.low = min(self.low, subscribers)
        self.high = max(self.high, subscribers)
        self.samples += 1


class Facts(msgspec.Struct, array_like=True, gc=False):
    """The newest known facts of a channel, and when each was observed."""

    title: str | None = None
    username: str | None = None
    described_ms: int = -1
    subscribers: int | None = None
    subscribers_ms: int = -1
    last_post_ms: int | None = None
    last_sample_ms: int | None = None
    status: str = "unknown"
    status_reason: str = ""
    status_until_ms: int | None = None
    status_ms: int = -1

    def describe(
        self, title: str | None, username: str | None, at_ms: int, *, nameless: bool = False
    ) -> bool:
        """Record title and username; None leaves a fact unchanged.

        Like `count_subscribers` and `put_status`, ignores an observation older than the newest, and
        returns True if a fact changed. `nameless`: the channel is known to have no username.
        """
        if at_ms < self.described_ms:
            return False
        before = self.title, self.username
        self.described_ms = at_ms
        self.title = self.title if title is None else title
        self.username = self.username if username is None and not nameless else username
        return before != (self.title, self.username)

    def count_subscribers(self, subscribers: int, at_ms: int) -> bool:
        if at_ms < self.subscribers_ms:
            return False
        before, self.subscribers, self.subscribers_ms = self.subscribers, subscribers, at_ms
        return before != subscribers

    def put_status(self, status: str, reason: str, until_ms: int | None, at_ms: int) -> bool:
        if at_ms < self.status_ms:
            return False
        before = self.status, self.status_reason, self.status_until_ms
        self.status, self.status_reason, self.status_until_ms = status, reason, until_ms
        self.status_ms = at_ms
        return before != (status, reason, until_ms)

    def posted(self, date_ms: int) -> bool:
        if self.last_post_ms is not None and date_ms <= self.last_post_ms:
            return False
        self.last_post_ms = date_ms
        return True

    def sampled(self, at_ms: int) -> None:
        if self.last_sample_ms is None or at_ms > self.last_sample_ms:
            self.last_sample_ms = at_ms


class Channel(Row, array_like=True, gc=False):
    """The row of a channel. Times are -1 until its first message."""

    first_observed_ms: int = -1
    #: The newest observation of this channel.
    watermark_ms: int = -1
    #: Open windows, by start.
    minutes: dict[int, Minute] = msgspec.field(default_factory=dict)
    #: Open windows of subscribers.
    subscriber_stats: list[SubscriberStats] = msgspec.field(default_factory=list)
    closed_minutes: list[Minute] = msgspec.field(default_factory=list)
    closed_subscriber_stats: list[SubscriberStats] = msgspec.field(default_factory=list)
    facts: Facts = msgspec.field(default_factory=Facts)
    #: The `last_sample_ms` last sent.
    sample_sent_ms: int = -1
    #: The newest instant at which counters were sampled, and the newest before the open windows.
    sampled_ms: int = -1
    closed_sampled_ms: int = -1
    #: Recent gaps in observation, oldest first (agents.updates.gaps).
    gaps: list[Gap] = msgspec.field(default_factory=list)
    #: The leaders of the albums seen last (agents.updates.albums).
    leaders: Leaders = msgspec.field(default_factory=dict)

    def advance(self, observed_at_ms: int) -> None:
        """Advance the watermark, which never decreases, and update the gaps."""
        if not self.gaps:
            # A new row, or a row of a version that stored only the first observation.
            known = self.first_observed_ms >= 0
            self.gaps = first_gap(self.first_observed_ms if known else observed_at_ms)
        if self.first_observed_ms < 0 or observed_at_ms < self.first_observed_ms:
            self.first_observed_ms = observed_at_ms
        if observed_at_ms > self.watermark_ms:
            if self.watermark_ms >= 0:
                follow(self.gaps, self.watermark_ms, observed_at_ms)
            self.watermark_ms = observed_at_ms
        else:
            fill(self.gaps, observed_at_ms)

    def minute(self, start_ms: int, observed_at_ms: int) -> Minute:
        """The open window that starts at `start_ms`, created if it does not exist."""
        minute = self.minutes.get(start_ms)
        if minute is None:
            minute = self.minutes[start_ms] = Minute(start_ms)
        minute.observed_at_ms = max(minute.observed_at_ms, observed_at_ms)
        return minute

    def close_minutes(self, before_ms: int) -> list[Minute]:
        """Close the windows that start before `before_ms`, and return them oldest first."""
        closed = [self.minutes.pop(start) for start in sorted(self.minutes) if start < before_ms]
        if closed:
            self.closed_minutes = (self.closed_minutes + closed)[-CLOSED_KEPT:]
            last_ms = max(_last_sampled(minute) for minute in closed)
            self.closed_sampled_ms = max(self.closed_sampled_ms, last_ms)
        return closed

    def close_subscriber_stats(self, closed: list[SubscriberStats]) -> None:
        self.subscriber_stats = [stats for stats in self.subscriber_stats if stats not in closed]
        self.closed_subscriber_stats = (self.closed_subscriber_stats + closed)[-CLOSED_KEPT:]

    def put_sampling(self, at_ms: int, oldest_ms: int) -> list[Minute]:
        """Record that counters were sampled at `at_ms`. Returns the open windows that changed.

        Windows that start before `oldest_ms` are closed.
        """
        start_ms = start_of(at_ms, MINUTE_MS)
        before_ms, self.sampled_ms = self.sampled_ms, max(self.sampled_ms, at_ms)
        if start_ms < oldest_ms:
            if at_ms <= self.closed_sampled_ms:
                return []
            self.closed_sampled_ms = at_ms
            return self._put_before_next(start_ms)
        minute = self.minute(start_ms, at_ms)
        first = minute.first_sampled
        if not minute.put_sampling(at_ms):
            return []
        in_order = at_ms > before_ms
        if minute.first_sampled != first:
            minute.put_before(before_ms if in_order else self._sampled_before(start_ms))
        return [minute] if in_order else [minute, *self._put_before_next(start_ms)]

    def _put_before_next(self, start_ms: int) -> list[Minute]:
        """Update the next sampled window after a sample that came out of order."""
        later = [
            start
            for start, minute in self.minutes.items()
            if start > start_ms and minute.last_sampled >= 0
        ]
        if not later:
            return []
        minute = self.minutes[min(later)]
        return [minute] if minute.put_before(self._sampled_before(minute.start_ms)) else []

    def _sampled_before(self, start_ms: int) -> int:
        """The newest sampling instant before an open window; -1: none."""
        earlier = [
            _last_sampled(minute) for start, minute in self.minutes.items() if start < start_ms
        ]
        return max(self.closed_sampled_ms, *earlier) if earlier else self.closed_sampled_ms


def _last_sampled(minute: Minute) -> int:
    instant_ms = minute.sampled_to_ms
    return -1 if instant_ms is None else instant_ms
