"""The newest of everything, folded from the messages of analytics.*, in bounded memory.

Pure: it knows neither the log nor a clock. How a kind of message is kept is declared in
`streams.kinds`: per channel the newest (`channel`), the last WINDOWS windows of a minute
(`minutes`), or the newest counters of the newest POSTS posts (`posts`); or the LAST that came last,
of all channels together (`last`).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, assert_never, get_args

from api.messages import LISTS, Change, LiveData, Minutes, Other
from streams.analytics import ActivityWindow, ChannelSummary, Decision, PostCounters
from streams.ids import ChannelId, PostId
from streams.kind import Kind, NotShown, Shown
from streams.kinds import KINDS
from streams.known import Kinds
from streams.units import HOUR_MS, MINUTE_MS

WINDOWS = 120
POSTS = 100
LAST = 50

#: What a list of all channels shows, of what is shown of named channels.
_LISTED: frozenset[Shown] = frozenset(("channel", "last"))
_SHOWN: frozenset[Shown] = frozenset(get_args(Shown))

#: Channels that a connection wants; None is all.
Wanted = frozenset[ChannelId] | None
Put = Callable[[Any], None]


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
        #: The newest message of each kind that is shown as `channel`.
        self.newest: dict[type[Decision], Any] = {}
        #: By their start, the windows of each kind that is shown as `minutes`.
        self.windows: dict[type[Decision], dict[int, Any]] = {}
        self.posts: dict[PostId, Counters] = {}
        self.counted_at_ms = 0

    @property
    def summary(self) -> ChannelSummary | None:
        return self.newest.get(ChannelSummary)

    @property
    def activity(self) -> Mapping[int, ActivityWindow]:
        return self.windows.get(ActivityWindow, {})

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

    def __init__(self, kinds: Kinds = KINDS) -> None:
        self.kinds = kinds
        self._channels: dict[ChannelId, ChannelView] = {}
        #: By upsert key, the messages of each kind that is shown as `last`.
        self._last: dict[type[Decision], dict[str, Any]] = {}
        #: What to ask for the present value of each changed thing.
        self._changed: dict[object, Callable[[], Change | None]] = {}
        self._changed_posts: dict[ChannelId, dict[PostId, None]] = {}
        self._puts = {kind.struct: self._put_of(kind) for kind in kinds}

    @property
    def channels(self) -> Mapping[ChannelId, ChannelView]:
        return self._channels

    def fold(self, message: Decision) -> None:
        """Messages of kinds that are not shown change nothing."""
        if (put := self._puts[type(message)]) is not None:
            put(message)

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
        return self._data(wanted, _SHOWN, [])

    def listed(self, now_ms: int) -> LiveData:
        """What a list of all channels shows, but their figures."""
        minutes = (view.minutes(now_ms) for view in self.wanted(None))
        return self._data(None, _LISTED, [each for each in minutes if each is not None])

    def _data(self, wanted: Wanted, shown: frozenset[Shown], minutes: list[Minutes]) -> LiveData:
        views, lists = self.wanted(wanted), {name: list[Any]() for name in LISTS.values()}
        others: list[Other] = []
        for kind in self.kinds:
            if kind.live not in shown:
                continue
            held = self._held(kind, views, wanted)
            if kind.struct in LISTS:
                lists[LISTS[kind.struct]] += held
            else:
                others += map(self._told, held)
        return LiveData(**lists, figures=[], minutes=minutes, others=others)

    def _told(self, message: Any) -> Any:
        """A message as the socket tells it."""
        if message is None or type(message) in LISTS:
            return message
        key = self.kinds.upsert_key(message)
        return Other(
            channel_id=message.channel_id,
            observed_at_ms=message.observed_at_ms,
            key=key,
            message=message,
        )

    def wanted(self, wanted: Wanted) -> list[ChannelView]:
        return [v for v in self._channels.values() if wanted is None or v.channel_id in wanted]

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

    def _held(self, kind: Kind[Any], views: list[ChannelView], wanted: Wanted) -> list[Any]:
        """What is kept of one kind, of some channels."""
        struct = kind.struct
        match kind.live:
            case "channel":
                return [view.newest[struct] for view in views if struct in view.newest]
            case "minutes":
                by_start = (view.windows.get(struct, {}) for view in views)
                return [windows[start] for windows in by_start for start in sorted(windows)]
            case "posts":
                counters = (view.counters(iter(sorted(view.posts))) for view in views)
                return [message for message in counters if message is not None]
            case "last":
                last = self._last.get(struct, {}).values()
                return [one for one in last if wanted is None or one.channel_id in wanted]
            case NotShown():
                return []
            case _:
                assert_never(kind.live)

    def _put_of(self, kind: Kind[Any]) -> Put | None:
        """What folds the messages of one kind; None where live does not show it."""
        match kind.live:
            case "channel":
                return self._put_newest
            case "minutes":
                sized = "size_ms" in kind.struct.__struct_fields__
                return self._put_sized if sized else self._put_window
            case "posts":
                return self._put_posts
            case "last":
                return partial(self._put_last, kind.upsert_key)
            case NotShown():
                return None
            case _:
                assert_never(kind.live)

    def _channel(self, channel_id: ChannelId) -> ChannelView:
        channel = self._channels.get(channel_id)
        if channel is None:
            channel = self._channels[channel_id] = ChannelView(channel_id)
        return channel

    def _put_newest(self, message: Any) -> None:
        struct, newest = type(message), self._channel(message.channel_id).newest
        newest[struct] = message
        self._changed[(message.channel_id, struct)] = lambda: self._told(newest.get(struct))

    def _put_window(self, message: Any) -> None:
        struct, start_ms = type(message), message.start_ms
        windows = self._channel(message.channel_id).windows.setdefault(struct, {})
        windows[start_ms] = message
        changed = (message.channel_id, struct, start_ms)
        self._changed[changed] = lambda: self._told(windows.get(start_ms))
        if len(windows) > WINDOWS:
            del windows[min(windows)]

    def _put_sized(self, message: Any) -> None:
        """Larger windows are history's."""
        if message.size_ms == MINUTE_MS:
            self._put_window(message)

    def _put_posts(self, message: PostCounters) -> None:
        changed = self._changed_posts.setdefault(message.channel_id, {})
        channel = self._channel(message.channel_id)
        changed.update(dict.fromkeys(channel.put_counters(message)))

    def _put_last(self, upsert_key: Callable[[Any], str], message: Any) -> None:
        key, last = upsert_key(message), self._last.setdefault(type(message), {})
        last.pop(key, None)
        last[key] = message
        self._changed[(type(message), key)] = lambda: self._told(last.get(key))
        if len(last) > LAST:
            del last[next(iter(last))]


def changes_of(data: LiveData) -> list[Change]:
    """A snapshot's content as changes, in the order of LiveData."""
    names = [f for f in data.__struct_fields__ if f in LISTS.values() or f == "others"]
    return [change for name in names for change in getattr(data, name)]
