"""The arithmetic of an overview: rows of the queries in, figures and their bases out. Pure.

Each ratio is one division of whole numbers, so that it is as close to the true value as possible.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from clickhouse import evidence
from clickhouse.evidence import Basis, Observed, per_day, share
from clickhouse.reader import Overview
from streams.counters import NAMES, by_name
from streams.units import DAY_MS

DAY_S = 86_400
#: The age in seconds, by figure of reach.
REACHES = {"reach_1h": 3600, "reach_12h": 43_200, "reach_24h": DAY_S, "reach_48h": 172_800}
#: The basis of an unknown figure.
UNKNOWN = Basis(0.0, 0, None)

Row = Mapping[str, Any]


class Asked(NamedTuple):
    """The requested range, and its observed parts."""

    from_ms: int
    to_ms: int
    #: The parts of which all posts were read.
    read: Observed
    #: The parts in which counters were sampled.
    sampled: Observed

    @property
    def posts_coverage(self) -> float:
        return self.read.share(self.from_ms, self.to_ms)

    @property
    def gains_coverage(self) -> float:
        return self.sampled.share(self.from_ms, self.to_ms)


class Reach(NamedTuple):
    """The cohort (clickhouse.evidence.cohort), and all posts known at the age of one day."""

    posts: int
    #: The cohort's views by age, in seconds.
    views: Mapping[int, float]
    as_of_ms: int | None
    day_posts: int
    day_views: float
    day_as_of_ms: int | None

    def mean(self, age_s: int) -> float | None:
        return self.views[age_s] / self.posts if age_s in self.views else None


def overview_of(
    asked: Asked, posts: Row, gained: Row, subscribers: Row, reach: Reach
) -> tuple[Overview, dict[str, Basis]]:
    """The overview, and the basis of each of its fields. Called for every overview."""
    known, views = posts["views_known"], posts["views"]
    audience = subscribers["newest"] if subscribers["as_of_ms"] else None
    number, published = posts_of(asked, posts["posts"])
    overview = Overview(
        subscribers=audience,
        subscribers_change=change_of(subscribers, asked.from_ms, DAY_MS),
        posts=number,
        **by_name(posts[name] for name in NAMES),
        views_gained=gained["views_gained"],
        views_per_post_mean=_ratio(views, known),
        views_per_post_median=posts["views_median"] if known else None,
        err_percent=_percent(views, known, audience),
        err24_percent=_percent(reach.day_views, reach.day_posts, audience),
        er_by_views_percent=_rate(posts["rated_answers"], posts["rated_views"]),
        posts_per_day=per_day(number, asked.read.length_ms(asked.from_ms, asked.to_ms)),
        **{name: reach.mean(age_s) for name, age_s in REACHES.items()},
    )
    bases = _bases(asked, posts, gained, subscribers, reach)
    bases |= {"posts": published, "posts_per_day": published}
    return overview, {
        name: UNKNOWN if getattr(overview, name) is None else basis for name, basis in bases.items()
    }


def posts_of(asked: Asked, posts: int) -> tuple[int | None, Basis]:
    """The number of posts published; None if no part of the range was read."""
    coverage = asked.posts_coverage
    if not coverage:
        return None, UNKNOWN
    return posts, Basis(coverage, posts, asked.read.newest_ms(asked.from_ms, asked.to_ms))


def _bases(
    asked: Asked, posts: Row, gained: Row, subscribers: Row, reach: Reach
) -> dict[str, Basis]:
    counted_ms = posts["as_of_ms"] or None

    def of_posts(known: int, as_of_ms: int | None) -> Basis:
        """The share of the range's posts for which it is known; unread posts count as unknown."""
        coverage = asked.posts_coverage * share(known, posts["posts"])
        return Basis(coverage, known, as_of_ms if known else None)

    counters = {name: of_posts(posts[f"{name}_known"], counted_ms) for name in NAMES}
    reaches = dict.fromkeys(REACHES, of_posts(reach.posts, reach.as_of_ms))
    return {
        "subscribers": _audience_basis(asked, subscribers),
        "subscribers_change": change_basis(
            subscribers, asked.from_ms, asked.to_ms, DAY_MS, subscribers["within"]
        ),
        "views": counters["views"],
        "views_gained": Basis(asked.gains_coverage, gained["samples"], gained["as_of_ms"]),
        **{name: counters[name] for name in NAMES[1:]},
        "views_per_post_mean": counters["views"],
        "views_per_post_median": counters["views"],
        "err_percent": counters["views"],
        "err24_percent": of_posts(reach.day_posts, reach.day_as_of_ms),
        "er_by_views_percent": of_posts(posts["rated"], counted_ms),
        **reaches,
    }


def _audience_basis(asked: Asked, subscribers: Row) -> Basis:
    """1 where the number was observed in the range; 0 where it is older, or unknown."""
    within = subscribers["within"]
    return Basis(float(within > 0), within, subscribers["as_of_ms"] or None)


def baseline_of(subscribers: Row, from_ms: int, most_ms: int) -> tuple[int, int] | None:
    """Number and instant from which a change counts: before `from_ms`, else the first after it.

    A number more than `most_ms` older than `from_ms` does not count, because it may have changed
    since. None if there is no such number.
    """
    before_ms = subscribers["before_at_ms"]
    if before_ms and from_ms - before_ms <= most_ms:
        return subscribers["newest_before"], before_ms
    if subscribers["within"] and subscribers["first_at_ms"] < subscribers["as_of_ms"]:
        return subscribers["first_within"], subscribers["first_at_ms"]
    return None


def change_of(subscribers: Row, from_ms: int, most_ms: int) -> int | None:
    baseline = baseline_of(subscribers, from_ms, most_ms) if subscribers["within"] else None
    return None if baseline is None else int(subscribers["newest"] - baseline[0])


def change_basis(subscribers: Row, from_ms: int, to_ms: int, most_ms: int, n: int) -> Basis:
    """The share of the range that lies between the two numbers of a change."""
    baseline = baseline_of(subscribers, from_ms, most_ms) if subscribers["within"] else None
    if baseline is None:
        return Basis(0.0, n, subscribers["as_of_ms"] if subscribers["within"] else None)
    spanned_ms = subscribers["as_of_ms"] - max(baseline[1], from_ms)
    return Basis(share(spanned_ms, to_ms - from_ms), n, subscribers["as_of_ms"])


def reach_of(rows: Sequence[Row]) -> Reach:
    """Reach, from posts grouped by the ages at which their views are known."""
    ages = evidence.cohort({frozenset(row["ages"]): row["posts"] for row in rows})
    chosen = [row for row in rows if ages.issubset(row["ages"])]
    day_old = [row for row in rows if DAY_S in row["ages"]]
    return Reach(
        posts=sum(row["posts"] for row in chosen),
        views={age_s: sum(_at(row, "views", age_s) for row in chosen) for age_s in ages},
        as_of_ms=_newest(chosen, ages),
        day_posts=sum(row["posts"] for row in day_old),
        day_views=sum(row["day_views"] for row in day_old),
        day_as_of_ms=_newest(day_old, [DAY_S]),
    )


def _newest(rows: Sequence[Row], ages: Iterable[int]) -> int | None:
    return max((_at(row, "as_of_ms", age_s) for age_s in ages for row in rows), default=None)


def _at(row: Row, name: str, age_s: int) -> Any:
    return row[name][row["ages"].index(age_s)]


def _rate(answers: int | None, views: int | None) -> float | None:
    return 100 * answers / views if answers is not None and views else None


def _percent(views: float | None, posts: int, audience: int | None) -> float | None:
    """The mean views of a post as a percentage of the subscribers."""
    if not posts or not audience or views is None:
        return None
    return 100 * views / (posts * audience)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
