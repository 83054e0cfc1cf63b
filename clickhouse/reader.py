"""The port of the reader, and its typed answers, field by field as in the REST interface.

An instant is named …_ms here; its name in JSON has no unit, and its value is ISO-8601. Ranges are
[from_ms, to_ms) in event time. An unknown number is None, never 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from clickhouse.evidence import Basis
from streams.ids import ChannelId, PostId, Username

T = TypeVar("T", bound=msgspec.Struct)


class Instant(int):
    """Milliseconds since 1970 UTC, which faces write as ISO-8601."""


class Answered(msgspec.Struct, frozen=True, rename=lambda name: name.removesuffix("_ms")):
    """What a face gives out as it is."""


class Channel(msgspec.Struct, frozen=True):
    id: ChannelId
    username: str | None
    title: str | None
    subscribers: int | None
    followed_since_ms: int | None
    last_post_at_ms: int | None
    last_sample_at_ms: int | None
    #: live, away, waiting, private; `recorded` where the source is a recording; `unknown`.
    status: str
    #: The sources that observed the channel: telegram, recording, import.
    sources: Sequence[str] = ()


class Overview(msgspec.Struct, frozen=True):
    """The figures of a range."""

    # clickhouse.definitions defines each figure.

    subscribers: int | None
    subscribers_change: int | None
    posts: int | None
    views: int | None
    views_gained: int | None
    forwards: int | None
    replies: int | None
    reactions: int | None
    views_per_post_mean: float | None
    views_per_post_median: float | None
    err_percent: float | None
    err24_percent: float | None
    er_by_views_percent: float | None
    posts_per_day: float | None
    reach_1h: float | None
    reach_12h: float | None
    reach_24h: float | None
    reach_48h: float | None


class ViewsPoint(Answered, frozen=True):
    # One step: its gains, and its observed share.

    time_ms: Instant
    #: Increments booked in the step; None if none was measured.
    views_gained: int | None
    forwards_gained: int | None
    replies_gained: int | None
    reactions_gained: int | None
    #: Posts published in the step; None if no part of it was read.
    posts: int | None
    #: Share of the step in which counters were observed, 0 to 1: the basis of the gains.
    coverage: float


class GrowthPoint(Answered, frozen=True):
    time_ms: Instant
    #: The newest number in the step.
    subscribers: int | None
    #: Since the newest number before the step (no older than the length of the step, or 24 hours if
    #: that is longer), else since the first number in the step; None with a single number.
    change: int | None
    #: Share of the step that `change` spans, 0 to 1.
    coverage: float


class Post(Answered, frozen=True):
    post_id: PostId
    date_ms: Instant
    text: str
    url: str | None
    views: int | None
    forwards: int | None
    replies: int | None
    reactions: int | None
    #: (forwards + replies + reactions) / views * 100 at one instant: the newest sample that
    #: contains all four; None without such a sample.
    er_by_views_percent: float | None
    #: Views gained per hour between the post's two newest samples; None with fewer than two.
    velocity_per_h: float | None
    edited: bool
    deleted: bool


class CurvePoint(Answered, frozen=True):
    observed_at_ms: Instant
    age_s: int
    views: int | None
    forwards: int | None
    replies: int | None
    reactions: int | None


class Evidence(msgspec.Struct, frozen=True):
    """What an answer rests on: the `meta` of a response."""

    #: The sources that observed it: telegram, recording, import.
    sources: Sequence[str]
    #: The basis of each figure, or series, of the answer.
    figures: Mapping[str, Basis]

    @property
    def as_of_ms(self) -> int | None:
        """The newest observation used; None if there is none."""
        return max((f.as_of_ms for f in self.figures.values() if f.as_of_ms), default=None)

    @property
    def coverage(self) -> float:
        """The lowest coverage of the known figures; 0 if none is known."""
        known = (figure.coverage for figure in self.figures.values() if figure.known)
        return min(known, default=0.0)


class Page(msgspec.Struct, frozen=True):
    rows: Sequence[Post]
    #: The cursor of the next page; None at the end.
    cursor: str | None


class Reader(Protocol):
    """Questions about one channel or all. Called by REST, bot and commands, also concurrently.

    Callers resolve `channel_id` first. Every question waits for history, and raises QueryFailed,
    HistoryDamaged, HistoryUnavailable.
    """

    async def channels(self) -> Sequence[Channel]: ...

    async def channel(self, named: ChannelId | Username) -> Channel | None:
        """The channel; None if it was never observed.

        A username that several channels have had belongs to the one sampled last.
        """

    async def overview(
        self, channel_id: ChannelId, from_ms: int, to_ms: int
    ) -> tuple[Overview, Evidence]: ...

    async def views(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[ViewsPoint], Evidence]: ...

    async def growth(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[GrowthPoint], Evidence]: ...

    async def posts(
        self,
        channel_id: ChannelId,
        from_ms: int,
        to_ms: int,
        sort: str,
        limit: int,
        cursor: str | None,
    ) -> tuple[Page, Evidence]:
        """`sort`: date, views, forwards, replies, reactions, velocity; newest or highest first.

        `cursor`: Page.cursor of the previous page; None for the first one. Also raises
        InvalidCursor.
        """

    async def post(
        self, channel_id: ChannelId, post_id: PostId
    ) -> tuple[Post, Evidence] | None: ...

    async def curve(
        self, channel_id: ChannelId, post_id: PostId
    ) -> tuple[Sequence[CurvePoint], Evidence] | None: ...

    async def alerts(
        self, channel_id: ChannelId | None, from_ms: int, to_ms: int, limit: int
    ) -> tuple[Sequence["Alert"], Evidence]:
        """Newest first. `channel_id` None: alerts of all channels, without evidence."""

    async def ask(self, question: str, of: type[T], **parameters: Any) -> Sequence[T]:
        """The rows of clickhouse/queries/<question>.sql, each column a field of `of`.

        For a question that is a single query: the caller declares the type of its rows.
        """

    async def posts_of_all(
        self, from_ms: int, to_ms: int
    ) -> Mapping[ChannelId, tuple[int | None, Basis]]:
        """`posts` of the overview, for every channel whose posts were ever read."""


class Alert(Answered, frozen=True):
    alert_id: str
    channel_id: ChannelId
    #: spike; more may follow.
    type: str
    #: raised, updated, resolved.
    state: str
    raised_at_ms: Instant
    resolved_at_ms: Instant | None
    post_id: PostId | None
    observed: float
    expected: float | None
    method: str
    #: The post's address; None if the post or the channel's username is unknown.
    url: str | None
    #: The first words of the post; None if they are unknown, or if there are none.
    text: str | None
