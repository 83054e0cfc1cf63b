"""A broadcast channel: its posts in order, and the numbered log of their changes.

The channel's `pts` is the number of the newest change; clients use it to detect missed updates
(https://core.telegram.org/api/updates).
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Literal, NamedTuple

from loopback.world.counters import Counters, CounterSource, FixedCounters
from streams.ids import ChannelId, PostId

#: The largest number of log entries; requests for older ones get "too long".
MAX_LOG = 10_000

#: Telegram has one type of object for all of these; only the first is a broadcast channel.
ChannelKind = Literal["channel", "supergroup", "gigagroup"]


class Collectible(NamedTuple):
    """An additional, bought username; it resolves to the channel only while it is active."""

    name: str
    active: bool = True


class WorldPost:
    """One post. Its counters change over time if their source does."""

    __slots__ = (
        "album_id",
        "counters",
        "date_ms",
        "edit_date_ms",
        "forwarded_from",
        "media",
        "post_id",
        "service",
        "text",
    )

    def __init__(
        self,
        post_id: PostId,
        date_ms: int,
        text: str = "",
        counters: CounterSource | None = None,
        *,
        media: str | None = None,
        album_id: int | None = None,
        forwarded_from: str | None = None,
        edit_date_ms: int | None = None,
        service: str | None = None,
    ) -> None:
        self.post_id = post_id
        self.date_ms = date_ms
        self.text = text
        self.counters = counters or FixedCounters(Counters(views=1, forwards=0))
        self.media = media
        self.album_id = album_id
        self.forwarded_from = forwarded_from
        self.edit_date_ms = edit_date_ms
        #: The event of a service message (``pinned``, ``title``), which is no post; else None.
        self.service = service


class Kind(Enum):
    NEW = "new"
    EDIT = "edit"
    DELETE = "delete"


class LogEntry(NamedTuple):
    #: The channel's pts after the change; before it, pts - pts_count.
    pts: int
    pts_count: int
    at_ms: int
    kind: Kind
    post_ids: Sequence[PostId]


class WorldChannel:
    """Change it only through World, which notifies the listeners."""

    def __init__(
        self,
        channel_id: ChannelId,
        title: str,
        username: str | None,
        created_ms: int,
        subscribers: Callable[[int], int | None],
        kind: ChannelKind = "channel",
    ) -> None:
        self.channel_id = channel_id
        self.title = title
        self.username = username
        #: If there are any, Telegram sends no `username` but a list of all names, `username` first.
        self.collectibles: Sequence[Collectible] = ()
        self.kind: ChannelKind = kind
        self.about = ""
        self.created_ms = created_ms
        #: The number of subscribers at an instant; None if unknown.
        self.subscribers = subscribers
        #: Only subscribers can access a private channel.
        self.private = False
        self.pts = 1
        self.log: deque[LogEntry] = deque()
        self._posts: dict[PostId, WorldPost] = {}
        self._ids: list[PostId] = []

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def names(self) -> list[str]:
        """The usernames that resolve to the channel."""
        own = [self.username] if self.username else []
        return own + [one.name for one in self.collectibles if one.active]

    @property
    def log_floor(self) -> int:
        """The lowest pts from which the log is complete."""
        return self.log[0].pts - self.log[0].pts_count if self.log else self.pts

    @property
    def newest_id(self) -> PostId:
        return self._ids[-1] if self._ids else PostId(0)

    def find(self, post_id: PostId) -> WorldPost | None:
        return self._posts.get(post_id)

    def newest(self, count: int) -> list[WorldPost]:
        """Newest first."""
        return [self._posts[i] for i in self._ids[-count:][::-1]] if count else []

    def ids_between(self, above: int, below: int | None) -> Sequence[PostId]:
        """Ids in (above, below), oldest first."""
        end = len(self._ids) if below is None else bisect_left(self._ids, below)
        return self._ids[bisect_right(self._ids, above) : end]

    def entries_after(self, pts: int) -> Iterator[LogEntry]:
        """Oldest first."""
        newer = []
        for entry in reversed(self.log):
            if entry.pts <= pts:
                break
            newer.append(entry)
        return reversed(newer)

    def put(self, post: WorldPost) -> None:
        """Adds or replaces a post; ids may come in any order. Does not write the log."""
        if post.post_id not in self._posts:
            if post.post_id > self.newest_id:
                self._ids.append(post.post_id)
            else:
                self._ids.insert(bisect_left(self._ids, post.post_id), post.post_id)
        self._posts[post.post_id] = post

    def remove(self, post_ids: Iterable[PostId]) -> list[PostId]:
        """Returns the ids that existed. Does not write the log."""
        gone = [i for i in post_ids if self._posts.pop(i, None) is not None]
        for post_id in gone:
            del self._ids[bisect_left(self._ids, post_id)]
        return gone

    def write_log(self, kind: Kind, post_ids: Sequence[PostId], at_ms: int) -> LogEntry:
        self.pts += len(post_ids)
        entry = LogEntry(self.pts, len(post_ids), at_ms, kind, post_ids)
        self.log.append(entry)
        if len(self.log) > MAX_LOG:
            self.log.popleft()
        return entry

    def forget_log(self) -> None:
        """Empties the log: clients that are behind get "too long"."""
        self.log.clear()
