"""What the REST interface answers, field by field; times are ISO-8601 in UTC.

`streams` and `clickhouse` count in milliseconds; the translation to text is here and nowhere else.
No figure is computed here.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from api.times import iso
from clickhouse import reader
from clickhouse.evidence import Basis, share
from clickhouse.reader import CurvePoint, Evidence, GrowthPoint, ViewsPoint
from control.store import Followed
from streams.analytics import ChannelSummary

T = TypeVar("T")


class Figure(msgspec.Struct, frozen=True):
    """What one figure, or one series, rests on."""

    coverage: float
    n: int
    as_of: str | None


class Meta(msgspec.Struct, frozen=True):
    """What an answer rests on."""

    as_of: str | None
    from_: str | None = msgspec.field(name="from")
    to: str | None
    coverage: float
    evidence: dict[str, Figure]
    sources: list[str]
    cursor: str | msgspec.UnsetType | None = msgspec.UNSET


class Answer(msgspec.Struct, Generic[T], frozen=True):
    data: T
    meta: Meta


class About(msgspec.Struct, frozen=True):
    """Which program this is, what time it is in it, and what its numbers are."""

    name: str
    version: str
    #: demo (a recording is played) or live.
    mode: str
    now: str
    #: How many of the engine's seconds pass in one second of the wall clock.
    speed: float
    #: Sentences for the reader of the page.
    measured: str
    modelled: str
    #: Whom the data is from.
    credits: list[str]


class Channel(msgspec.Struct, frozen=True):
    #: None: it is followed by a name, and nobody knows yet which channel that is.
    id: int | None
    username: str | None
    title: str | None
    subscribers: int | None
    followed_since: str | None
    last_post_at: str | None
    last_sample_at: str | None
    #: live, away, waiting, private, banned, not_found, not_a_channel, duplicate; `pending`: not
    #: tried yet; `recorded` where the source is a recording; `unknown`.
    status: str
    #: Why, for a person; empty where there is nothing to say.
    status_reason: str
    #: When the collector tries again, where it knows.
    status_until: str | None


class Views(msgspec.Struct, frozen=True):
    points: Sequence[ViewsPoint]


class Growth(msgspec.Struct, frozen=True):
    points: Sequence[GrowthPoint]


class Curve(msgspec.Struct, frozen=True):
    points: Sequence[CurvePoint]


def meta(
    evidence: Evidence,
    asked: tuple[int, int] | None = None,
    cursor: str | msgspec.UnsetType | None = msgspec.UNSET,
) -> Meta:
    """What an answer about [from, to), or about all times, rests on."""
    from_ms, to_ms = asked or (None, None)
    return Meta(
        as_of=iso(evidence.as_of_ms),
        from_=iso(from_ms),
        to=iso(to_ms),
        coverage=evidence.coverage,
        evidence={
            name: Figure(basis.coverage, basis.n, iso(basis.as_of_ms))
            for name, basis in evidence.figures.items()
        },
        sources=list(evidence.sources),
        cursor=cursor,
    )


def channels_meta(
    rows: Sequence[reader.Channel], cursor: str | msgspec.UnsetType | None = msgspec.UNSET
) -> Meta:
    """What rows of channels rest on: their newest samples."""
    as_of_ms = max((row.last_sample_at_ms or 0 for row in rows), default=0) or None
    known = sum(row.subscribers is not None for row in rows)
    figures = {"subscribers": Basis(share(known, len(rows)), known, as_of_ms if known else None)}
    sources = {source for row in rows for source in row.sources}
    return meta(Evidence(sorted(sources), figures), None, cursor)


def channel(row: reader.Channel, followed: Followed | None = None) -> Channel:
    """`followed` says why the status is what it is, if it is still that."""
    told = followed if followed is not None and followed.status == row.status else None
    return Channel(
        id=row.id,
        username=row.username,
        title=row.title,
        subscribers=row.subscribers,
        followed_since=iso(row.followed_since_ms),
        last_post_at=iso(row.last_post_at_ms),
        last_sample_at=iso(row.last_sample_at_ms),
        status=row.status,
        status_reason="" if told is None else told.status_reason,
        status_until=None if told is None else iso(told.status_until_ms),
    )


def unobserved(followed: Followed) -> Channel:
    """A channel that is followed and of which nothing was ever observed."""
    return Channel(
        id=followed.channel_id,
        username=followed.username,
        title=None,
        subscribers=None,
        followed_since=iso(followed.followed_since_ms),
        last_post_at=None,
        last_sample_at=None,
        status=followed.status,
        status_reason=followed.status_reason,
        status_until=iso(followed.status_until_ms),
    )


def channel_of(summary: ChannelSummary) -> reader.Channel:
    """What history will say of a channel once this summary has reached it."""
    return reader.Channel(
        id=summary.channel_id,
        username=summary.username,
        title=summary.title,
        subscribers=summary.subscribers,
        followed_since_ms=summary.first_observed_at_ms,
        last_post_at_ms=summary.last_post_at_ms,
        last_sample_at_ms=summary.last_sample_at_ms,
        status=summary.status,
    )
