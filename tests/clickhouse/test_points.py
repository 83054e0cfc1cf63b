"""What a step of a range gained: known, nothing, or unknown."""

from collections.abc import Mapping
from typing import Any

import pytest

from clickhouse.evidence import Observed, Segment
from clickhouse.figures import Asked
from clickhouse.points import views_points
from streams.units import MINUTE_MS

ALL = Observed([Segment(0, 3 * MINUTE_MS, True)])
BOOKED: Mapping[str, Any] = {
    "step": 2,
    "samples": 4,
    "views": 7,
    "forwards": None,
    "replies": None,
    "reactions": None,
}


def views_of(step: Mapping[str, Any], sampled: Observed = ALL) -> list[int | None]:
    asked = Asked(0, 3 * MINUTE_MS, Observed(), sampled)
    starts = range(0, 3 * MINUTE_MS, MINUTE_MS)
    points = views_points(asked, starts, MINUTE_MS, [{**BOOKED, **step, "step": 1}, BOOKED], ())
    assert [point.forwards_gained for point in points] == [None] * 3
    return [point.views_gained for point in points]


@pytest.mark.parametrize(
    ("step", "views"),
    [
        # a first value: what it gained is unknown
        ({"samples": 3, "views": None}, None),
        # a window in which a post appeared and none was sampled
        ({"samples": 0, "views": None}, 0),
        ({"samples": 3, "views": 0}, 0),
        ({"samples": 3, "views": 5}, 5),
    ],
)
def test_a_baseline_is_unknown_and_nothing_booked_is_nothing(
    step: Mapping[str, Any], views: int | None
) -> None:
    assert views_of(step) == [0, views, 7]


def test_what_was_not_observed_is_unknown() -> None:
    assert views_of({"samples": 0, "views": None}, Observed()) == [None, None, 7]
