"""The arithmetic of an overview: figures of the queries in, what the REST interface names out.

Ratios are divided once, of whole numbers, so that they are the nearest to the true value.
"""

from collections.abc import Mapping
from typing import Any

from clickhouse.reader import Overview

DAY_MS = 86_400_000

Row = Mapping[str, Any]


def overview_of(
    posts: Row, gained: Row, subscribers: Row, reach: Mapping[int, Row], length_ms: int
) -> Overview:
    """`reach` has the posts and their views by age in seconds."""
    known, views = posts["posts_known"], posts["views"]
    audience = subscribers["newest"] if subscribers["as_of_ms"] else None
    day = reach.get(86_400)
    return Overview(
        subscribers=audience,
        subscribers_change=_change(subscribers),
        posts=posts["posts"],
        views=views if known else None,
        views_gained=gained["views_gained"],
        forwards=posts["forwards"],
        replies=posts["replies"],
        reactions=posts["reactions"],
        views_per_post_mean=_ratio(views, known),
        views_per_post_median=posts["views_median"] if known else None,
        err_percent=_percent(views, known, audience),
        err24_percent=_percent(day["views"], day["posts"], audience) if day else None,
        er_by_views_percent=_ratio(100 * posts["answers"], posts["answered_views"]),
        posts_per_day=_ratio(posts["posts"] * DAY_MS, length_ms),
        reach_1h=_reach(reach, 3600),
        reach_12h=_reach(reach, 43_200),
        reach_24h=_reach(reach, 86_400),
        reach_48h=_reach(reach, 172_800),
    )


def _change(subscribers: Row) -> int | None:
    """From the newest number before the range, else the first in it, to the last in it."""
    if not subscribers["within"]:
        return None
    if subscribers["before"]:
        return int(subscribers["newest"] - subscribers["newest_before"])
    if subscribers["within"] > 1:
        return int(subscribers["newest"] - subscribers["first_within"])
    return None


def _reach(reach: Mapping[int, Row], age_s: int) -> float | None:
    row = reach.get(age_s)
    return _ratio(row["views"], row["posts"]) if row else None


def _percent(views: int, posts: int, audience: int | None) -> float | None:
    """The mean views of a post as a percentage of the subscribers."""
    if not posts or not audience:
        return None
    return _ratio(100 * views, posts * audience)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
