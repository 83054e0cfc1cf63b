"""The model of growth, and the curves that it leads to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback.curve import RecordedCounters, Series
from loopback.growth import modelled
from loopback.world.counters import Counters
from streams.units import HOUR_MS

counts = st.integers(0, 2**40)
ages = st.integers(1, 400 * 24 * HOUR_MS)


@given(counts, ages)
def test_exact_at_both_ends(first: int, age_of_first_ms: int) -> None:
    assert modelled(first, age_of_first_ms, 0) == 0
    assert modelled(first, age_of_first_ms, age_of_first_ms) == first


@given(counts, ages, st.lists(ages, min_size=2))
def test_never_falls_and_never_exceeds(first: int, age_of_first_ms: int, at_ms: list[int]) -> None:
    values = [modelled(first, age_of_first_ms, age) for age in sorted(at_ms)]
    assert values == sorted(values)
    assert all(0 <= value <= first for value in values)


@given(counts, ages)
def test_stays_after_the_recorded_instant(first: int, age_ms: int) -> None:
    assert modelled(first, age_ms, age_ms * 3) == first


def test_shape() -> None:
    day = [modelled(1000, 24 * HOUR_MS, hour * HOUR_MS) for hour in (1, 6, 12)]
    assert day == [267, 680, 864]


def test_recorded_before_it_was_published() -> None:
    assert modelled(5, -10, 0) == 5
    assert modelled(5, 0, 0) == 5


@given(st.dictionaries(ages, counts, min_size=1, max_size=20))
def test_curve_meets_every_sample(samples: dict[int, int]) -> None:
    series = Series(samples.items())
    assert all(series.at(age_ms) == value for age_ms, value in samples.items())


@pytest.mark.parametrize(
    ("age_ms", "views"), [(999, 9), (1000, 10), (1999, 10), (2000, 7), (10**12, 7)]
)
def test_curve_is_a_step_between_samples_and_stays_after_them(age_ms: int, views: int) -> None:
    assert Series([(2000, 7), (1000, 10)]).at(age_ms) == views


def test_counters_that_are_not_known_stay_unknown() -> None:
    counters = RecordedCounters(5000, Series([(1000, 10)]), None, None, None)
    assert counters.at(6000) == Counters(views=10)


def test_reaction_that_nobody_has_given_yet_is_not_shown() -> None:
    thumbs, hearts = Series([(10, 4)]), Series([(HOUR_MS, 1)])
    counters = RecordedCounters(0, None, None, None, {"👍": thumbs, "❤": hearts})
    assert counters.at(10).reactions == {"👍": 4}
    assert counters.at(HOUR_MS).reactions == {"👍": 4, "❤": 1}
