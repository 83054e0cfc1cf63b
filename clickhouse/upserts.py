"""What the agents decided, as rows of history. Pure, and one row a key: the newest of a batch.

Subscribers' windows and newest counters are not kept: history makes its own of the raw samples.
"""

from collections.abc import Mapping, Sequence

from clickhouse.columns import Columns
from clickhouse.history import Insert
from streams.analytics import ActivityWindow, Alert, Analytics, ChannelSummary, PostAge, upsert_key


class DecidedRows:
    """Takes messages of analytics.* one by one; `inserts` gives what they come to."""

    def __init__(self) -> None:
        self._newest: dict[type, dict[str, Analytics]] = {
            ActivityWindow: {},
            PostAge: {},
            ChannelSummary: {},
            Alert: {},
        }

    def take(self, message: Analytics) -> None:
        kept = self._newest.get(type(message))
        if kept is None:
            return
        key = upsert_key(message)
        earlier = kept.get(key)
        if earlier is None or _version(message) >= _version(earlier):
            kept[key] = message

    def __len__(self) -> int:
        return sum(map(len, self._newest.values()))

    def inserts(self, token: str, batch: int) -> Sequence[Insert]:
        """What is not empty, in an order that never changes. `batch` names the insertion."""
        tables = (
            _windows(self._newest[ActivityWindow], batch),
            _ages(self._newest[PostAge]),
            _channels(self._newest[ChannelSummary]),
            _alerts(self._newest[Alert]),
        )
        return [Insert(table.table, token, table.by_name) for table in tables if len(table)]


def _version(message: Analytics) -> int:
    """Grows with what a message rests on; of a window, the closing comes last."""
    closed = isinstance(message, ActivityWindow) and message.closed
    return message.observed_at_ms * 2 + closed


def _windows(windows: Mapping[str, Analytics], batch: int) -> Columns:
    columns = Columns(
        "windows",
        *("channel_id", "start", "views_gained", "forwards_gained", "replies_gained"),
        *("reactions_gained", "posts", "edits", "deletes", "samples", "closed"),
        *("observed_at", "version", "batch"),
    )
    for window in windows.values():
        if isinstance(window, ActivityWindow):
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
            )
    return columns


def _ages(ages: Mapping[str, Analytics]) -> Columns:
    columns = Columns(
        "post_ages",
        *("channel_id", "post_id", "age_s", "views", "forwards", "replies", "reactions"),
        *("interpolated", "observed_at"),
    )
    for age in ages.values():
        if isinstance(age, PostAge):
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


def _channels(channels: Mapping[str, Analytics]) -> Columns:
    columns = Columns(
        "channels",
        *("channel_id", "username", "title", "subscribers", "first_observed_at"),
        *("last_post_at", "last_sample_at", "status", "observed_at"),
    )
    for channel in channels.values():
        if isinstance(channel, ChannelSummary):
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


def _alerts(alerts: Mapping[str, Analytics]) -> Columns:
    columns = Columns(
        "alerts",
        *("alert_id", "channel_id", "type", "state", "raised_at", "resolved_at", "post_id"),
        *("observed", "expected", "method", "observed_at"),
    )
    for alert in alerts.values():
        if isinstance(alert, Alert):
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
