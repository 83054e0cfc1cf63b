"""The reader of history: each question is one or a few queries, put together here.

What is known of what was asked (`Evidence.coverage`):
overview, posts    the share of the posts whose views are known
views              the share of the points whose views_gained is known
growth             the share of the points whose subscribers are known
post, curve        1 where views are known, else 0
and 0 where there is nothing to be known of.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from clickhouse import cursor as cursors
from clickhouse.figures import overview_of
from clickhouse.history import History, QueryFailed
from clickhouse.points import growth_points, resolution, share, steps, views_points
from clickhouse.reader import (
    AlertRow,
    Channel,
    CurvePoint,
    Evidence,
    GrowthPoint,
    Overview,
    Page,
    PostRow,
    ViewsPoint,
)
from streams.ids import ChannelId, PostId, parse_channel

SORTS = ("date", "views", "forwards", "replies", "reactions", "velocity")
#: Posts of one album are published within this time.
ALBUM_MS = 600_000

Row = dict[str, Any]


class HistoryReader:
    """Implements clickhouse.reader.Reader on any history."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def channels(self) -> Sequence[Channel]:
        return [_channel(row) for row in await self._rows("channels")]

    async def channel(self, reference: str) -> Channel | None:
        """Raises streams.ids.InvalidChannel. A username that moved is its newest channel's."""
        wanted = parse_channel(reference)
        if isinstance(wanted, int):
            found = [c for c in await self.channels() if c.id == wanted]
        else:
            found = [c for c in await self.channels() if (c.username or "").lower() == wanted]
        return max(found, key=_newest_of, default=None)

    async def overview(
        self, channel_id: ChannelId, from_ms: int, to_ms: int
    ) -> tuple[Overview, Evidence]:
        span = {"channel_id": channel_id, "from_ms": from_ms, "to_ms": to_ms}
        posts, gained, subscribers, reach = await asyncio.gather(
            self._row("overview", **span),
            self._row("gained", **span),
            self._row("subscribers_known", **span),
            self._rows("reach", **span),
        )
        by_age = {row["age_s"]: row for row in reach}
        overview = overview_of(posts, gained, subscribers, by_age, to_ms - from_ms)
        evidence = Evidence(
            as_of_ms=_newest(posts["as_of_ms"], gained["as_of_ms"], subscribers["as_of_ms"]),
            coverage=share(posts["posts_known"], posts["posts"]),
            sources=sorted({*posts["sources"], *subscribers["sources"]}),
        )
        return overview, evidence

    async def views(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[ViewsPoint], Evidence]:
        """Points start at `from_ms`; minutes belong to the point in which they start."""
        starts = steps(from_ms, to_ms, step_ms)
        span = {"channel_id": channel_id, "from_ms": from_ms, "to_ms": to_ms}
        query = f"views_{resolution(from_ms, to_ms, step_ms)}"
        gained = await self._history.ask(query, {**span, "step_ms": step_ms})
        published = await self._history.ask("posts_by_step", {**span, "step_ms": step_ms})
        points = views_points(starts, gained, published)
        known = sum(point.views_gained is not None for point in points)
        as_of_ms = _newest(*(row["as_of_ms"] for row in gained.rows))
        sources = await self._rows("sources", **span, what="counters")
        return points, Evidence(
            as_of_ms, share(known, len(points)), [row["source"] for row in sources]
        )

    async def growth(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[GrowthPoint], Evidence]:
        """`subscribers` are the last of the step; `change` since the newest number before it."""
        starts = steps(from_ms, to_ms, step_ms)
        span = {"channel_id": channel_id, "from_ms": from_ms, "to_ms": to_ms}
        query = f"growth_{resolution(from_ms, to_ms, step_ms)}"
        rows = await self._rows(query, **span, step_ms=step_ms)
        known = await self._row("subscribers_known", **span)
        before = known["newest_before"] if known["before"] else None
        last = {row["step"]: row["last_subscribers"] for row in rows}
        return growth_points(starts, last, before), Evidence(
            as_of_ms=_newest(*(row["as_of_ms"] for row in rows)),
            coverage=share(len(rows), len(starts)),
            sources=sorted({source for row in rows for source in row["sources"]}),
        )

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
        url = await self._url(channel_id)
        next_cursor = None
        if len(rows) > limit:
            end = cursors.Place(sort, page[-1]["place"], page[-1]["post_id"])
            next_cursor = cursors.write(end)
        return Page([_post(row, url) for row in page], next_cursor), _evidence_of_posts(page)

    async def post(self, channel_id: ChannelId, post_id: PostId) -> tuple[PostRow, Evidence] | None:
        """The album's row where the post belongs to one."""
        row = await self._post_row(channel_id, post_id)
        if row is None:
            return None
        return _post(row, await self._url(channel_id)), _evidence_of_posts([row])

    async def curve(
        self, channel_id: ChannelId, post_id: PostId
    ) -> tuple[Sequence[CurvePoint], Evidence] | None:
        row = await self._post_row(channel_id, post_id)
        if row is None:
            return None
        rows = await self._rows("curve", channel_id=channel_id, post_ids=list(row["post_ids"]))
        points = [_curve_point(point, row["date_ms"]) for point in rows]
        return points, Evidence(
            as_of_ms=_newest(*(point.observed_at_ms for point in points)),
            coverage=float(any(point.views is not None for point in points)),
            sources=sorted({source for point in rows for source in point["sources"]}),
        )

    async def alerts(
        self, channel_id: ChannelId | None, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[AlertRow]:
        rows = await self._rows(
            "alerts", channel_id=channel_id or 0, from_ms=from_ms, to_ms=to_ms, limit=limit
        )
        return [msgspec.convert(row, AlertRow) for row in rows]

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
        """What the address of a post begins with; None where the channel has no username."""
        row = await self._row("username", channel_id=channel_id)
        return f"https://t.me/{row['username']}/" if row["username"] else None

    async def _rows(self, query: str, **parameters: Any) -> list[Row]:
        return (await self._history.ask(query, parameters)).rows

    async def _row(self, query: str, **parameters: Any) -> Row:
        return (await self._rows(query, **parameters))[0]


def _channel(row: Row) -> Channel:
    status = row["status"] or "unknown"
    if status == "unknown" and row["newest_source"] in ("recording", "import"):
        status = "recorded"
    return Channel(
        id=row["id"],
        username=row["username"],
        title=row["title"],
        subscribers=row["subscribers"],
        followed_since_ms=row["followed_since_ms"],
        last_post_at_ms=row["last_post_at_ms"],
        last_sample_at_ms=row["last_sample_at_ms"],
        status=status,
    )


def _newest_of(channel: Channel) -> tuple[int, int]:
    return (channel.last_sample_at_ms or 0, channel.last_post_at_ms or 0)


def _post(row: Row, url: str | None) -> PostRow:
    answers = [row[name] for name in ("forwards", "replies", "reactions") if row[name] is not None]
    rated = bool(row["views"] and answers)
    return PostRow(
        post_id=row["post_id"],
        date_ms=row["date_ms"],
        text=row["text"],
        url=f"{url}{row['post_id']}" if url else None,
        views=row["views"],
        forwards=row["forwards"],
        replies=row["replies"],
        reactions=row["reactions"],
        er_by_views_percent=100 * sum(answers) / row["views"] if rated else None,
        velocity_per_h=row["velocity_per_h"],
        edited=row["edited"],
        deleted=row["deleted"],
    )


def _curve_point(row: Row, date_ms: int) -> CurvePoint:
    return CurvePoint(
        observed_at_ms=row["observed_at_ms"],
        age_s=(row["observed_at_ms"] - date_ms) // 1000,
        views=row["views"],
        forwards=row["forwards"],
        replies=row["replies"],
        reactions=row["reactions"],
    )


def _evidence_of_posts(rows: Sequence[Row]) -> Evidence:
    return Evidence(
        as_of_ms=_newest(*(row["observed_at_ms"] for row in rows)),
        coverage=share(sum(row["views"] is not None for row in rows), len(rows)),
        sources=sorted({source for row in rows for source in row["sources"]}),
    )


def _newest(*instants_ms: int | None) -> int | None:
    """The newest; queries say 0, or nothing, where there was no observation."""
    return max((at_ms for at_ms in instants_ms if at_ms), default=None)
