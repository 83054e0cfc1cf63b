"""The reader of history: composes each answer from one or a few queries.

Every answer includes the evidence of its figures (clickhouse.evidence, docs/GLOSSARY.md).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from clickhouse import cursor as cursors
from clickhouse.evidence import Basis, Observed, Segment, reading, segment
from clickhouse.figures import UNKNOWN, Asked, overview_of, posts_of, reach_of
from clickhouse.history import History, QueryFailed
from clickhouse.points import (
    growth_bases,
    growth_points,
    resolution,
    steps,
    views_bases,
    views_points,
)
from clickhouse.reader import (
    Alert,
    Channel,
    CurvePoint,
    Evidence,
    GrowthPoint,
    Instant,
    Overview,
    Page,
    Post,
    ViewsPoint,
)
from clickhouse.records import (
    alert_of,
    bases_of_posts,
    channel_of,
    point_of,
    post_of,
    sources_of,
)
from streams.counters import NAMES
from streams.ids import ChannelId, PostId, Username

SORTS = ("date", *NAMES, "velocity")
#: Posts of one album are published within this time.
ALBUM_MS = 600_000

Row = dict[str, Any]
T = TypeVar("T", bound=msgspec.Struct)


class HistoryReader:
    """Implements clickhouse.reader.Reader on any history. Raises the errors of History.ask."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def channels(self) -> Sequence[Channel]:
        return [channel_of(row) for row in await self._rows("channels")]

    async def channel(self, named: ChannelId | Username) -> Channel | None:
        if isinstance(named, int):
            found = [c for c in await self.channels() if c.id == named]
        else:
            found = [c for c in await self.channels() if (c.username or "").lower() == named]
        return max(found, key=_newest_of, default=None)

    async def overview(
        self, channel_id: ChannelId, from_ms: int, to_ms: int
    ) -> tuple[Overview, Evidence]:
        span = {"channel_id": channel_id, "from_ms": from_ms, "to_ms": to_ms}
        posts, gained, subscribers, reach, read = await asyncio.gather(
            self._row("overview", **span),
            self._row("gained", **span),
            self._row("subscribers_known", **span),
            self._rows("reach", **span),
            self._read(channel_id),
        )
        asked = Asked(from_ms, to_ms, read, _sampled(gained))
        overview, figures = overview_of(asked, posts, gained, subscribers, reach_of(reach))
        sources = {*posts["sources"], *subscribers["sources"]}
        if not sources and gained["samples"]:
            sources.update(await self._sources("counters", span))
        return overview, Evidence(sorted(sources), figures)

    async def views(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[ViewsPoint], Evidence]:
        """Points start at `from_ms`; a minute belongs to the point in which it starts."""
        starts = steps(from_ms, to_ms, step_ms)
        span = {"channel_id": channel_id, "from_ms": from_ms, "to_ms": to_ms}
        query = f"views_{resolution(from_ms, to_ms, step_ms)}"
        gained, published, observed, read, sources = await asyncio.gather(
            self._rows(query, **span, step_ms=step_ms),
            self._rows("posts_by_step", **span, step_ms=step_ms),
            self._row("gained", **span),
            self._read(channel_id),
            self._sources("counters", span),
        )
        asked = Asked(from_ms, to_ms, read, _sampled(observed))
        points = views_points(asked, starts, step_ms, gained, published)
        return points, Evidence(sources, views_bases(asked, gained, published))

    async def growth(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[GrowthPoint], Evidence]:
        starts = steps(from_ms, to_ms, step_ms)
        span = {"channel_id": channel_id, "from_ms": from_ms, "to_ms": to_ms}
        query = f"growth_{resolution(from_ms, to_ms, step_ms)}"
        rows, known = await asyncio.gather(
            self._rows(query, **span, step_ms=step_ms), self._row("subscribers_known", **span)
        )
        before = (known["newest_before"], known["before_at_ms"])
        points = growth_points(starts, step_ms, to_ms, rows, before)
        sources = sorted({source for row in rows for source in row["sources"]})
        return points, Evidence(sources, growth_bases(points, step_ms, to_ms, rows))

    async def posts(
        self,
        channel_id: ChannelId,
        from_ms: int,
        to_ms: int,
        sort: str,
        limit: int,
        cursor: str | None,
    ) -> tuple[Page, Evidence]:
        if sort not in SORTS:
            raise QueryFailed(f"sort: {sort!r} is none of {', '.join(SORTS)}")
        after_place, after_post = cursors.START
        if cursor is not None:
            place = cursors.read(cursor, sort)
            after_place, after_post = place.place, place.post_id
        rows = await self._rows(
            "posts",
            channel_id=channel_id,
            from_ms=from_ms,
            to_ms=to_ms,
            sort=sort,
            after_place=after_place,
            after_post=after_post,
            limit=limit + 1,
        )
        page = rows[:limit]
        url, read = await asyncio.gather(self._url(channel_id), self._read(channel_id))
        next_cursor = None
        if len(rows) > limit:
            end = cursors.Place(sort, page[-1]["place"], page[-1]["post_id"])
            next_cursor = cursors.write(end)
        shown = [post_of(row, url) for row in page]
        figures = bases_of_posts(shown, page, read.share(from_ms, to_ms))
        figures["posts"] = Basis(
            read.share(from_ms, to_ms), len(page), read.newest_ms(from_ms, to_ms)
        )
        return Page(shown, next_cursor), Evidence(sources_of(page), figures)

    async def post(self, channel_id: ChannelId, post_id: PostId) -> tuple[Post, Evidence] | None:
        """A post of an album is answered with the album's row. None if the post is unknown."""
        row = await self._post_row(channel_id, post_id)
        if row is None:
            return None
        post = post_of(row, await self._url(channel_id))
        return post, Evidence(sources_of([row]), bases_of_posts([post], [row], 1.0))

    async def curve(
        self, channel_id: ChannelId, post_id: PostId
    ) -> tuple[Sequence[CurvePoint], Evidence] | None:
        row = await self._post_row(channel_id, post_id)
        if row is None:
            return None
        rows = await self._rows("curve", channel_id=channel_id, post_ids=list(row["post_ids"]))
        points = [point_of(point, row["date_ms"]) for point in rows]
        figures = {
            name: UNKNOWN
            if not (known := [p.observed_at_ms for p in points if getattr(p, name) is not None])
            else Basis(1.0, len(known), max(known))
            for name in NAMES
        }
        return points, Evidence(sources_of(rows), figures)

    async def alerts(
        self, channel_id: ChannelId | None, from_ms: int, to_ms: int, limit: int
    ) -> tuple[Sequence[Alert], Evidence]:
        span = {"channel_id": channel_id or 0, "from_ms": from_ms, "to_ms": to_ms}
        rows = await self._rows("alerts", **span, limit=limit)
        alerts = [alert_of(row) for row in rows]
        if channel_id is None:
            return alerts, Evidence([], {})
        gained = await self._row("gained", **span)
        watched = Asked(from_ms, to_ms, Observed(), _sampled(gained))
        basis = Basis(watched.gains_coverage, gained["samples"], gained["as_of_ms"])
        return alerts, Evidence(await self._sources("counters", span), {"alerts": basis})

    async def ask(self, question: str, of: type[T], **parameters: Any) -> Sequence[T]:
        fields = msgspec.structs.fields(of)
        rows = [
            {field.encode_name: row[field.name] for field in fields}
            for row in await self._rows(question, **parameters)
        ]
        return msgspec.convert(rows, list[of], dec_hook=_instant)  # type: ignore[valid-type]

    async def posts_of_all(
        self, from_ms: int, to_ms: int
    ) -> Mapping[ChannelId, tuple[int | None, Basis]]:
        rows, spans = await asyncio.gather(
            self._rows("posts_of_all", from_ms=from_ms, to_ms=to_ms),
            self._rows("read_spans", channel_id=0),
        )
        posts = {row["channel_id"]: row["posts"] for row in rows}
        read: dict[ChannelId, list[Segment]] = {}
        for row in spans:
            read.setdefault(row["channel_id"], []).append(reading(row["since_ms"], row["until_ms"]))
        return {
            channel_id: posts_of(
                Asked(from_ms, to_ms, Observed(segments), Observed()), posts.get(channel_id, 0)
            )
            for channel_id, segments in read.items()
        }

    async def _sources(self, what: str, span: Row) -> Sequence[str]:
        """The sources that observed `what` (such as posts, counters or subscribers) in a range."""
        return [row["source"] for row in await self._rows("sources", **span, what=what)]

    async def _read(self, channel_id: ChannelId) -> Observed:
        """The spans of which all posts of the channel were read."""
        rows = await self._rows("read_spans", channel_id=channel_id)
        return Observed(reading(row["since_ms"], row["until_ms"]) for row in rows)

    async def _post_row(self, channel_id: ChannelId, post_id: PostId) -> Row | None:
        dates = await self._rows("post_date", channel_id=channel_id, post_id=post_id)
        if not dates:
            return None
        date_ms = dates[0]["date_ms"]
        rows = await self._rows(
            "post",
            channel_id=channel_id,
            post_id=post_id,
            from_ms=date_ms - ALBUM_MS,
            to_ms=date_ms + ALBUM_MS,
        )
        return rows[0] if rows else None

    async def _url(self, channel_id: ChannelId) -> str | None:
        """The common start of the addresses of posts; None if the channel has no username."""
        row = await self._row("username", channel_id=channel_id)
        return f"https://t.me/{row['username']}/" if row["username"] else None

    async def _rows(self, query: str, **parameters: Any) -> list[Row]:
        return (await self._history.ask(query, parameters)).rows

    async def _row(self, query: str, **parameters: Any) -> Row:
        return (await self._rows(query, **parameters))[0]


def _instant(kind: type, value: Any) -> Any:
    if kind is not Instant:
        raise NotImplementedError
    return Instant(value)


def _newest_of(channel: Channel) -> tuple[int, int]:
    return (channel.last_sample_at_ms or 0, channel.last_post_at_ms or 0)


def _sampled(gained: Row) -> Observed:
    """The spans in which counters were sampled."""
    return Observed(map(segment, gained["sampled_from_ms"], gained["sampled_to_ms"]))
