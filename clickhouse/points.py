"""Equal steps over a span of time: every step gets a point, whatever is known of it."""

from collections.abc import Sequence

from clickhouse.history import Answer, QueryFailed
from clickhouse.reader import GrowthPoint, ViewsPoint

MAX_POINTS = 10_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def steps(from_ms: int, to_ms: int, step_ms: int) -> Sequence[int]:
    """The starts of the steps: `from_ms` and every `step_ms` after it, before `to_ms`.

    Raises QueryFailed for a step that is no whole number of minutes, or for too many of them.
    """
    if step_ms <= 0 or step_ms % 60_000:
        raise QueryFailed(f"a step of {step_ms} ms is not a whole number of minutes")
    count = -(-(to_ms - from_ms) // step_ms)
    if count > MAX_POINTS:
        raise QueryFailed(f"{count} points are more than {MAX_POINTS}: ask for a longer step")
    return range(from_ms, to_ms, step_ms)


def resolution(from_ms: int, to_ms: int, step_ms: int) -> str:
    """The coarsest roll-up that answers this exactly: daily, hourly or minutes."""
    for name, size_ms in (("daily", DAY_MS), ("hourly", HOUR_MS)):
        if from_ms % size_ms == to_ms % size_ms == step_ms % size_ms == 0:
            return name
    return "minutes"


def views_points(starts: Sequence[int], gained: Answer, published: Answer) -> Sequence[ViewsPoint]:
    by_step = {row["step"]: row for row in gained.rows}
    posts = {row["step"]: row["posts"] for row in published.rows}
    return [
        ViewsPoint(
            time_ms=time_ms,
            views_gained=(row := by_step.get(step, {})).get("views"),
            forwards_gained=row.get("forwards"),
            replies_gained=row.get("replies"),
            reactions_gained=row.get("reactions"),
            posts=posts.get(step, 0),
        )
        for step, time_ms in enumerate(starts)
    ]


def growth_points(
    starts: Sequence[int], last_by_step: dict[int, int], before: int | None
) -> Sequence[GrowthPoint]:
    """`change` is the difference to the newest number before the step; None without one."""
    points, previous = [], before
    for step, time_ms in enumerate(starts):
        last = last_by_step.get(step)
        change = None if last is None or previous is None else last - previous
        points.append(GrowthPoint(time_ms, last, change, joined=None, left=None))
        previous = previous if last is None else last
    return points


def share(known: int, asked: int) -> float:
    return known / asked if asked else 0.0
