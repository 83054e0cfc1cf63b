"""One row of a query as one record of an answer, and the bases of a list of records. Pure."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Any

from clickhouse.evidence import Basis, share
from clickhouse.figures import UNKNOWN
from clickhouse.reader import Alert, Channel, CurvePoint, Instant, Post
from streams.counters import NAMES, by_name

#: Maximum length of a post's first words, in characters.
OPENING = 100

Row = dict[str, Any]


def channel_of(row: Row) -> Channel:
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
        sources=row["sources"] or (),
    )


def post_of(row: Row, url: str | None) -> Post:
    rated = row["rated_answers"] is not None and row["rated_views"]
    return Post(
        post_id=row["post_id"],
        date_ms=Instant(row["date_ms"]),
        text=row["text"],
        url=f"{url}{row['post_id']}" if url else None,
        **by_name(row[name] for name in NAMES),
        er_by_views_percent=100 * row["rated_answers"] / row["rated_views"] if rated else None,
        velocity_per_h=row["velocity_per_h"],
        edited=row["edited"],
        deleted=row["deleted"],
    )


def point_of(row: Row, date_ms: int) -> CurvePoint:
    return CurvePoint(
        observed_at_ms=Instant(row["observed_at_ms"]),
        age_s=(row["observed_at_ms"] - date_ms) // 1000,
        **by_name(row[name] for name in NAMES),
    )


def alert_of(row: Row) -> Alert:
    text, username = row.pop("text"), row.pop("username")
    url = f"https://t.me/{username}/{row['post_id']}" if username and row["post_id"] else None
    resolved_at_ms = row.pop("resolved_at_ms")
    return Alert(
        raised_at_ms=Instant(row.pop("raised_at_ms")),
        resolved_at_ms=None if resolved_at_ms is None else Instant(resolved_at_ms),
        url=url,
        text=opening(text) if text else None,
        **row,
    )


def opening(text: str) -> str:
    """The first words of a post, on one line."""
    line = " ".join(text.split())
    words = shorten(line, OPENING, placeholder="…")
    return words if words != "…" else f"{line[: OPENING - 1]}…"


def bases_of_posts(posts: Sequence[Post], rows: Sequence[Row], read: float) -> dict[str, Basis]:
    """The basis of each figure: the share of the posts shown for which it is known.

    `read`: the share of the range of which all posts were read.
    """
    as_of_ms = max((row["observed_at_ms"] for row in rows), default=0) or None
    figures = {}
    for name in (*NAMES, "er_by_views_percent", "velocity_per_h"):
        known = sum(getattr(post, name) is not None for post in posts)
        figures[name] = (
            Basis(read * share(known, len(posts)), known, as_of_ms) if known else UNKNOWN
        )
    return figures


def sources_of(rows: Sequence[Row]) -> Sequence[str]:
    return sorted({source for row in rows for source in row["sources"]})
