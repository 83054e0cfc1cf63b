"""Typed answers of history, field by field as the REST interface gives them.

An instant is called …_ms here, as everywhere, and without the unit in JSON, where it is ISO-8601.
Every question takes [from_ms, to_ms) in event time. An unknown number is None, never 0.
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
    #: telegram, recording, import: who observed it.
    sources: Sequence[str] = ()


class Overview(msgspec.Struct, frozen=True):
    """The figures of a range."""

    # clickhouse.definitions says what each means.

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
    # One step: what was gained in it, and how much of it was observed.

    time_ms: Instant
    #: Increments booked in the step; None where none was measured.
    views_gained: int | None
    forwards_gained: int | None
    replies_gained: int | None
    reactions_gained: int | None
    #: Published in the step; None where no part of it was read.
    posts: int | None
    #: Share of the step in which counters were observed, 0 to 1: what the gains rest on.
    coverage: float


class GrowthPoint(Answered, frozen=True):
    time_ms: Instant
    #: The newest number in the step.
    subscribers: int | None
    #: Since the newest number before the step (not older than the step is long, or 24 hours where
    #: that is longer), else since the first one in it; None with a single number.
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
    #: (forwards + replies + reactions) / views * 100 of one instant: the newest sample that tells
    #: all four; None without such a sample.
    er_by_views_percent: float | None
    #: Views gained an hour between the post's two newest samples; None with fewer than two.
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

    #: telegram, recording, import: who observed it.
    sources: Sequence[str]
    #: What each figure, or series, of the answer rests on.
    figures: Mapping[str, Basis]

    @property
    def as_of_ms(self) -> int | None:
        """The newest observation used; None with none."""
        return max((f.as_of_ms for f in self.figures.values() if f.as_of_ms), default=None)

    @property
    def coverage(self) -> float:
        """The lowest of the figures that are known; 0 where none is."""
        known = (figure.coverage for figure in self.figures.values() if figure.known)
        return min(known, default=0.0)


class Page(msgspec.Struct, frozen=True):
    rows: Sequence[Post]
    #: Give it back to get the next page; None at the end.
    cursor: str | None


class Reader(Protocol):
    """Questions of one channel (and of all). `channel_id` has been resolved before."""

    async def channels(self) -> Sequence[Channel]: ...

    async def channel(self, named: ChannelId | Username) -> Channel | None:
        """None when it was never observed. A username that moved is its newest channel's."""

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
        """`sort`: date, views, forwards, replies, reactions, velocity; newest or highest first."""

    async def post(
        self, channel_id: ChannelId, post_id: PostId
    ) -> tuple[Post, Evidence] | None: ...

    async def curve(
        self, channel_id: ChannelId, post_id: PostId
    ) -> tuple[Sequence[CurvePoint], Evidence] | None: ...

    async def alerts(
        self, channel_id: ChannelId | None, from_ms: int, to_ms: int, limit: int
    ) -> tuple[Sequence["Alert"], Evidence]:
        """Newest first; `channel_id` None: of all channels, and then without evidence."""

    async def ask(self, question: str, of: type[T], **parameters: Any) -> Sequence[T]:
        """The rows of clickhouse/queries/<question>.sql, each column a field of `of`.

        For a question that needs no more than its query: whoever asks it declares the rows.
        """

    async def posts_of_all(
        self, from_ms: int, to_ms: int
    ) -> Mapping[ChannelId, tuple[int | None, Basis]]:
        """`posts` of the overview of every channel of which posts were ever read."""


class Alert(Answered, frozen=True):
    alert_id: str
    channel_id: ChannelId
    #: spike; others follow.
    type: str
    #: raised, updated, resolved.
    state: str
    raised_at_ms: Instant
    resolved_at_ms: Instant | None
    post_id: PostId | None
    observed: float
    expected: float | None
    method: str
    #: The post's address; None where the post or the channel's username is unknown.
    url: str | None
    #: The first words of the post; None where they are unknown, or where there are none.
    text: str | None
