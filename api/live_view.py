"""The newest of everything, folded from the messages of analytics.*, in bounded memory.

Pure: it knows neither the log nor a clock. Kept per channel: its summary, the last WINDOWS minute
windows of activity and of subscribers, the newest counters of its newest POSTS posts; and the
last ALERTS alerts of all channels together. Larger windows and ages of posts are history's.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from api.messages import Change, LiveData, Minutes
from clickhouse.evidence import HOUR_MS, MINUTE_MS
from streams.analytics import (
    ActivityWindow,
    Alert,
    Analytics,
    ChannelSummary,
    LateSamples,
    PostAge,
    PostCounters,
    SubscribersWindow,
    upsert_key,
)
from streams.ids import ChannelId, PostId

WINDOWS = 120
POSTS = 100
ALERTS = 50

#: Channels that a connection wants; None is all.
Wanted = frozenset[ChannelId] | None
W = TypeVar("W", ActivityWindow, SubscribersWindow)


class Counters(NamedTuple):
    """A post's newest counters."""

    date_ms: int | None
    views: int | None
    forwards: int | None
    replies: int | None
    reactions: int | None


class ChannelView:
    """What is live of one channel."""

    def __init__(self, channel_id: ChannelId) -> None:
        self.channel_id = channel_id
        self.summary: ChannelSummary | None = None
        self.activity: dict[int, ActivityWindow] = {}
        self.subscribers: dict[int, SubscribersWindow] = {}
        self.posts: dict[PostId, Counters] = {}
        self.counted_at_ms = 0

    def put_counters(self, message: PostCounters) -> Iterator[PostId]:
        """Takes the counters in; yields the posts that are kept."""
        self.counted_at_ms = max(self.counted_at_ms, message.observed_at_ms)
        columns = (message.dates_ms, message.views, message.forwards, message.replies)
        for post_id, *values in zip(message.post_ids, *columns, message.reactions, strict=True):
            self.posts[post_id] = Counters(*values)
        if len(self.posts) > POSTS:
            for post_id in sorted(self.posts)[:-POSTS]:
                del self.posts[post_id]
        return (post_id for post_id in message.post_ids if post_id in self.posts)

    def minutes(self, now_ms: int) -> Minutes | None:
        """The last hour and the running minute; None where nothing was measured in it."""
        from_ms = now_ms // MINUTE_MS * MINUTE_MS - HOUR_MS
        starts = range(from_ms, now_ms + 1, MINUTE_MS)
        windows = map(self.activity.get, starts)
        views = [None if window is None else window.views_gained for window in windows]
        if all(gained is None for gained in views):
            return None
        return Minutes(self.channel_id, from_ms, views)

    def counters(self, post_ids: Iterator[PostId]) -> PostCounters | None:
        """The counters of these posts as one message; None when none of them is kept."""
        rows = [(post_id, *self.posts[post_id]) for post_id in post_ids if post_id in self.posts]
        if not rows:
            return None
        ids, dates, views, forwards, replies, reactions = map(list, zip(*rows, strict=True))
        return PostCounters(
            channel_id=self.channel_id,
            observed_at_ms=self.counted_at_ms,
            post_ids=ids,
            dates_ms=dates,
            views=views,
            forwards=forwards,
            replies=replies,
            reactions=reactions,
        )


class LiveView:
    """Fold messages in, take out what changed, or all of it."""

    def __init__(self) -> None:
        self._channels: dict[ChannelId, ChannelView] = {}
        self._alerts: dict[str, Alert] = {}
        #: What to ask for the present value of each changed thing.
        self._changed: dict[object, Callable[[], Change | None]] = {}
        self._changed_posts: dict[ChannelId, dict[PostId, None]] = {}

    @property
    def channels(self) -> Mapping[ChannelId, ChannelView]:
        return self._channels

    def fold(self, message: Analytics) -> None:
        if isinstance(message, Alert):
            self._put_alert(message)
            return
        channel = self._channels.get(message.channel_id)
        if channel is None:
            channel = self._channels[message.channel_id] = ChannelView(message.channel_id)
        match message:
            case ActivityWindow():
                self._put_window(channel.activity, message)
            case SubscribersWindow():
                if message.size_ms == MINUTE_MS:
                    self._put_window(channel.subscribers, message)
            case ChannelSummary():
                channel.summary = message
                self._changed[(message.channel_id, "channel")] = lambda: channel.summary
            case PostCounters():
                changed = self._changed_posts.setdefault(message.channel_id, {})
                changed.update(dict.fromkeys(channel.put_counters(message)))
            case PostAge() | LateSamples():
                pass

    def take_changes(self) -> list[Change]:
        """What changed since the last call, each thing once, with its present value."""
        values = (ask() for ask in self._changed.values())
        changes = [value for value in values if value is not None]
        for channel_id, post_ids in self._changed_posts.items():
            counters = self._channels[channel_id].counters(iter(post_ids))
            if counters is not None:
                changes.append(counters)
        self.forget_changes()
        return changes

    def forget_changes(self) -> None:
        self._changed.clear()
        self._changed_posts.clear()

    def everything(self, wanted: Wanted = None) -> LiveData:
        """All that is kept of some channels, but their figures."""
        views = self.wanted(wanted)
        counters = (v.counters(iter(sorted(v.posts))) for v in views)
        return LiveData(
            channels=[v.summary for v in views if v.summary is not None],
            figures=[],
            minutes=[],
            windows=[v.activity[start] for v in views for start in sorted(v.activity)],
            subscribers=[v.subscribers[start] for v in views for start in sorted(v.subscribers)],
            posts=[message for message in counters if message is not None],
            alerts=self._alerts_of(wanted),
        )

    def listed(self, now_ms: int) -> LiveData:
        """What a list of all channels shows, but their figures."""
        views = self.wanted(None)
        return LiveData(
            channels=[v.summary for v in views if v.summary is not None],
            figures=[],
            minutes=[minutes for v in views if (minutes := v.minutes(now_ms))],
            windows=[],
            subscribers=[],
            posts=[],
            alerts=self._alerts_of(None),
        )

    def wanted(self, wanted: Wanted) -> list[ChannelView]:
        return [v for v in self._channels.values() if wanted is None or v.channel_id in wanted]

    def _alerts_of(self, wanted: Wanted) -> list[Alert]:
        return [a for a in self._alerts.values() if wanted is None or a.channel_id in wanted]

    def channel_named(self, username: str) -> ChannelId | None:
        """The channel that was last seen with this name (in lower case) and still has it."""
        found: ChannelSummary | None = None
        for view in self._channels.values():
            one = view.summary
            if one is None or (one.username or "").lower() != username:
                continue
            if found is None or one.observed_at_ms > found.observed_at_ms:
                found = one
        return None if found is None else found.channel_id

    def _put_window(self, windows: dict[int, W], message: W) -> None:
        start_ms = message.start_ms
        windows[start_ms] = message
        self._changed[upsert_key(message)] = lambda: windows.get(start_ms)
        if len(windows) > WINDOWS:
            del windows[min(windows)]

    def _put_alert(self, message: Alert) -> None:
        alert_id = message.alert_id
        self._alerts.pop(alert_id, None)
        self._alerts[alert_id] = message
        self._changed[alert_id] = lambda: self._alerts.get(alert_id)
        if len(self._alerts) > ALERTS:
            del self._alerts[next(iter(self._alerts))]


def changes_of(data: LiveData) -> list[Change]:
    """A snapshot's content as changes, in the order of LiveData."""
    return [*data.channels, *data.windows, *data.subscribers, *data.posts, *data.alerts]
