"""What the agents decided, as rows of history. Pure, and one row a key: the newest of a batch.

Subscribers' windows and newest counters are not kept: history makes its own of the raw samples.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from clickhouse.columns import Columns
from clickhouse.history import Insert
from streams.analytics import (
    ActivityWindow,
    Alert,
    Analytics,
    ChannelSummary,
    Decision,
    LateSamples,
    PostAge,
    upsert_key,
)
from streams.ids import ChannelId

D = TypeVar("D", bound=Decision)

#: Added to the version of a closed window: more than any time in milliseconds.
CLOSED = 2**62


class DecidedRows:
    """Takes messages of analytics.* one by one; `inserts` gives what they come to."""

    def __init__(self) -> None:
        self._windows: dict[str, ActivityWindow] = {}
        self._ages: dict[str, PostAge] = {}
        self._late: dict[str, LateSamples] = {}
        self._channels: dict[str, ChannelSummary] = {}
        self._alerts: dict[str, Alert] = {}

    def take(self, message: Analytics) -> None:
        match message:
            case ActivityWindow():
                _keep_newest(self._windows, message)
            case PostAge():
                _keep_newest(self._ages, message)
            case LateSamples():
                _keep_newest(self._late, message)
            case ChannelSummary():
                _keep_newest(self._channels, message)
            case Alert():
                _keep_newest(self._alerts, message)

    @property
    def late(self) -> Sequence[LateSamples]:
        """Samples that no window took."""
        return list(self._late.values())

    def drop_closed(self, marks: Mapping[ChannelId, int]) -> int:
        """Drop the windows that start no later than the last one stored as closed of a channel.

        Windows of a channel close in order, so these are repetitions, and a closed window must
        enter the roll-ups once. Returns how many there were.
        """
        repeated = [
            key
            for key, window in self._windows.items()
            if window.start_ms <= marks.get(window.channel_id, -1)
        ]
        for key in repeated:
            del self._windows[key]
        return len(repeated)

    def closed_marks(self) -> Mapping[ChannelId, int]:
        """The start of the last closed window of each channel, of those taken."""
        marks: dict[ChannelId, int] = {}
        for window in self._windows.values():
            if window.closed:
                marks[window.channel_id] = max(window.start_ms, marks.get(window.channel_id, -1))
        return marks

    def __len__(self) -> int:
        windows, ages, late = len(self._windows), len(self._ages), len(self._late)
        return windows + ages + late + len(self._channels) + len(self._alerts)

    def inserts(self, token: str, batch: int) -> Sequence[Insert]:
        """What is not empty, in an order that never changes. `batch` names the insertion."""
        tables = (
            _windows(self._windows.values(), batch),
            _ages(self._ages.values()),
            _late(self._late.values()),
            _channels(self._channels.values()),
            _alerts(self._alerts.values()),
        )
        return [Insert(table.table, token, table.by_name) for table in tables if len(table)]


def _keep_newest(kept: dict[str, D], message: D) -> None:
    key = upsert_key(cast(Analytics, message))
    earlier = kept.get(key)
    if earlier is None or _version(message) >= _version(earlier):
        kept[key] = message


def _version(message: Decision) -> int:
    """Grows with what a message rests on; the closing of a window comes after all of it."""
    closed = isinstance(message, ActivityWindow) and message.closed
    return message.observed_at_ms + (CLOSED if closed else 0)


def _windows(windows: Iterable[ActivityWindow], batch: int) -> Columns:
    columns = Columns(
        "windows",
        *("channel_id", "start", "views_gained", "forwards_gained", "replies_gained"),
        *("reactions_gained", "posts", "edits", "deletes", "samples", "closed"),
        *("observed_at", "version", "batch", "sampled_from", "sampled_to"),
    )
    for window in windows:
        columns.add(
            window.channel_id,
            window.start_ms // 1000,
            window.views_gained,
            window.forwards_gained,
            window.replies_gained,
            window.reactions_gained,
            window.posts,
            window.edits,
            window.deletes,
            window.samples,
            window.closed,
            window.observed_at_ms,
            _version(window),
            batch,
            window.sampled_from_ms,
            window.sampled_to_ms,
        )
    return columns


def _ages(ages: Iterable[PostAge]) -> Columns:
    columns = Columns(
        "post_ages",
        *("channel_id", "post_id", "age_s", "views", "forwards", "replies", "reactions"),
        *("interpolated", "observed_at"),
    )
    for age in ages:
        columns.add(
            age.channel_id,
            age.post_id,
            age.age_s,
            age.views,
            age.forwards,
            age.replies,
            age.reactions,
            age.interpolated,
            age.observed_at_ms,
        )
    return columns


def _late(messages: Iterable[LateSamples]) -> Columns:
    columns = Columns(
        "late_samples", *("channel_id", "offset", "from_at", "to_at", "samples", "observed_at")
    )
    for late in messages:
        columns.add(
            late.channel_id,
            late.offset,
            late.from_ms,
            late.to_ms,
            late.samples,
            late.observed_at_ms,
        )
    return columns


def _channels(channels: Iterable[ChannelSummary]) -> Columns:
    columns = Columns(
        "channels",
        *("channel_id", "username", "title", "subscribers", "first_observed_at"),
        *("last_post_at", "last_sample_at", "status", "observed_at"),
    )
    for channel in channels:
        columns.add(
            channel.channel_id,
            channel.username,
            channel.title,
            channel.subscribers,
            channel.first_observed_at_ms,
            channel.last_post_at_ms,
            channel.last_sample_at_ms,
            channel.status,
            channel.observed_at_ms,
        )
    return columns


def _alerts(alerts: Iterable[Alert]) -> Columns:
    columns = Columns(
        "alerts",
        *("alert_id", "channel_id", "type", "state", "raised_at", "resolved_at", "post_id"),
        *("observed", "expected", "method", "observed_at"),
    )
    for alert in alerts:
        columns.add(
            alert.alert_id,
            alert.channel_id,
            alert.type,
            alert.state,
            alert.raised_at_ms,
            alert.resolved_at_ms,
            alert.post_id,
            alert.observed,
            alert.expected,
            alert.method,
            alert.observed_at_ms,
        )
    return columns
