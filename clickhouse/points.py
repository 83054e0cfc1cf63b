"""Equal steps over a span of time: every step has a point, even an unobserved one. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clickhouse.evidence import Basis, share
from clickhouse.figures import UNKNOWN, Asked, change_basis, change_of
from clickhouse.history import QueryFailed
from clickhouse.reader import GrowthPoint, Instant, ViewsPoint
from streams.counters import NAMES, gained_by_name
from streams.units import DAY_MS, HOUR_MS

MAX_POINTS = 10_000

Row = Mapping[str, Any]

#: A step without a window.
_NOTHING: Row = {"samples": 0, **dict.fromkeys(NAMES)}


def steps(from_ms: int, to_ms: int, step_ms: int) -> Sequence[int]:
    """The starts of the steps: `from_ms` and every `step_ms` after it, before `to_ms`.

    Raises QueryFailed if a step is not a whole number of minutes, or for more than MAX_POINTS.
    """
    if step_ms <= 0 or step_ms % 60_000:
        raise QueryFailed(f"a step of {step_ms} ms is not a whole number of minutes")
    count = -(-(to_ms - from_ms) // step_ms)
    if count > MAX_POINTS:
        raise QueryFailed(f"{count} points are more than {MAX_POINTS}: ask for a longer step")
    return range(from_ms, to_ms, step_ms)


def resolution(from_ms: int, to_ms: int, step_ms: int) -> str:
    """The coarsest roll-up with an exact answer: daily, hourly or minutes."""
    for name, size_ms in (("daily", DAY_MS), ("hourly", HOUR_MS)):
        if from_ms % size_ms == to_ms % size_ms == step_ms % size_ms == 0:
            return name
    return "minutes"


def views_points(
    asked: Asked, starts: Sequence[int], step_ms: int, gained: Sequence[Row], posts: Sequence[Row]
) -> Sequence[ViewsPoint]:
    """One point per step.

    A step without gains gained 0 if it was observed and the counter is known. A counter that was
    sampled in the step but has no gain is a baseline: its gain is unknown, not 0.
    """
    by_step = {row["step"]: row for row in gained}
    published = {row["step"]: row["posts"] for row in posts}
    measured = {name for name in NAMES for row in gained if row[name] is not None}
    points = []
    for step, start_ms in enumerate(starts):
        end_ms = min(start_ms + step_ms, asked.to_ms)
        coverage = asked.sampled.share(start_ms, end_ms)
        row = by_step.get(step, _NOTHING)
        nothing = 0 if coverage and not row["samples"] else None
        gains = (nothing if row[name] is None and name in measured else row[name] for name in NAMES)
        read = asked.read.length_ms(start_ms, end_ms)
        points.append(
            ViewsPoint(
                time_ms=Instant(start_ms),
                **gained_by_name(gains),
                posts=published.get(step, 0) if read else None,
                coverage=coverage,
            )
        )
    return points


def views_bases(asked: Asked, gained: Sequence[Row], posts: Sequence[Row]) -> dict[str, Basis]:
    as_of_ms = max((row["as_of_ms"] for row in gained), default=None)
    samples = sum(row["samples"] for row in gained)
    gains = Basis(asked.gains_coverage, samples, as_of_ms)
    published = sum(row["posts"] for row in posts)
    newest_ms = asked.read.newest_ms(asked.from_ms, asked.to_ms)
    measured = {name for name in NAMES for row in gained if row[name] is not None}
    return {
        **{f"{name}_gained": gains if name in measured else UNKNOWN for name in NAMES},
        "posts": Basis(asked.posts_coverage, published, newest_ms),
    }


def growth_points(
    starts: Sequence[int], step_ms: int, to_ms: int, rows: Sequence[Row], before: tuple[int, int]
) -> Sequence[GrowthPoint]:
    """One point per step.

    `before`: the newest number before the first step and its instant, 0 for none.
    """
    return list(_growth(starts, step_ms, to_ms, {row["step"]: row for row in rows}, before))


def _growth(
    starts: Sequence[int],
    step_ms: int,
    to_ms: int,
    by_step: Mapping[int, Row],
    before: tuple[int, int],
) -> Iterator[GrowthPoint]:
    most_ms = max(step_ms, DAY_MS)
    newest, newest_ms = before
    for step, start_ms in enumerate(starts):
        row = by_step.get(step)
        if row is None:
            yield GrowthPoint(Instant(start_ms), None, None, 0.0)
            continue
        known = {
            "before_at_ms": newest_ms,
            "newest_before": newest,
            "within": 1,
            "first_at_ms": row["first_at_ms"],
            "first_within": row["first_subscribers"],
            "newest": row["last_subscribers"],
            "as_of_ms": row["last_at_ms"],
        }
        newest, newest_ms = row["last_subscribers"], row["last_at_ms"]
        basis = change_basis(known, start_ms, min(start_ms + step_ms, to_ms), most_ms, 1)
        change = change_of(known, start_ms, most_ms)
        yield GrowthPoint(Instant(start_ms), newest, change, basis.coverage)


def growth_bases(
    points: Sequence[GrowthPoint], step_ms: int, to_ms: int, rows: Sequence[Row]
) -> dict[str, Basis]:
    """`n` counts steps. Coverage: the share of steps for `subscribers`, of time for `change`."""
    as_of_ms = max((row["last_at_ms"] for row in rows), default=None)
    lengths = [min(step_ms, to_ms - point.time_ms) for point in points]
    spanned = sum(p.coverage * length for p, length in zip(points, lengths, strict=True))
    changes = sum(point.change is not None for point in points)
    return {
        "subscribers": Basis(share(len(rows), len(points)), len(rows), as_of_ms),
        "change": Basis(share(spanned, sum(lengths)), changes, as_of_ms) if changes else UNKNOWN,
    }
