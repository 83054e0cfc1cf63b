from hypothesis import given
from hypothesis import strategies as st

from agents.updates.fixed_ages import AGES_MS, AGES_S, Crossing, at_ages, crosses
from streams.counters import NOT_SAID
from streams.ids import PostId

POST = PostId(7)
MINUTE = 60_000
ages_ms = st.integers(min_value=-MINUTE, max_value=40 * 86_400_000)


def _views(count: int | None) -> tuple[int | None, int | None, int | None, int | None]:
    return (count, None, None, None)


def _at(
    t0: int | None, v0: int | None, t1: int, v1: int
) -> list[tuple[int, int | float | None, bool]]:
    crossing = Crossing(POST, t0, _views(v0), t1, _views(v1))
    return [(age.age_s, age.counters[0], age.interpolated) for age in at_ages(crossing)]


def test_exactly_at_the_age_is_not_interpolated() -> None:
    assert _at(None, None, 5 * MINUTE, 100) == [(300, 100, False)]
    assert _at(4 * MINUTE, 90, 5 * MINUTE, 100) == [(300, 100, False)]


def test_a_sample_one_millisecond_before_the_age_tells_nothing_of_it() -> None:
    assert _at(4 * MINUTE, 90, 5 * MINUTE - 1, 100) == []


def test_between_two_samples_is_linear_and_not_rounded() -> None:
    assert _at(4 * MINUTE, 0, 6 * MINUTE, 101) == [(300, 50.5, True)]
    assert _at(4 * MINUTE, 101, 6 * MINUTE, 0) == [(300, 50.5, True)]


def test_what_was_sampled_at_the_age_is_a_whole_number() -> None:
    [(_, views, _)] = _at(4 * MINUTE, 0, 5 * MINUTE, 7)
    assert type(views) is int


def test_samples_as_far_apart_as_the_age_tell_of_it_and_one_more_millisecond_does_not() -> None:
    assert _at(MINUTE, 0, 6 * MINUTE, 10) == [(300, 8.0, True)]
    assert _at(MINUTE, 0, 6 * MINUTE + 1, 10) == []


def test_the_first_sample_tells_only_of_an_age_that_it_hits() -> None:
    assert _at(None, None, 5 * MINUTE + 1, 100) == []


def test_two_samples_may_tell_of_several_ages() -> None:
    seen = _at(14 * MINUTE, 0, 31 * MINUTE, 17)
    assert seen == [(1800, 16.0, True)]
    seen = _at(3 * MINUTE, 0, 8 * MINUTE, 5)
    assert seen == [(300, 2.0, True)]


def test_a_counter_unknown_on_one_side_is_unknown_at_the_age() -> None:
    before, after = (10, None, 1, None), (20, 5, None, None)
    (age,) = at_ages(Crossing(POST, 4 * MINUTE, before, 6 * MINUTE, after))
    assert age.counters == (15, None, None, None)
    assert list(at_ages(Crossing(POST, 4 * MINUTE, NOT_SAID, 6 * MINUTE, after))) == []


@given(ages_ms, ages_ms)
def test_crosses_means_that_an_age_lies_after_the_first_and_not_after_the_second(
    one: int, other: int
) -> None:
    before, after = sorted((one, other))
    assert crosses(before, after) == any(before < age <= after for age in AGES_MS)
    assert crosses(None, after) == (after in AGES_MS)


@given(st.lists(st.tuples(ages_ms, st.integers(0, 10**6)), min_size=2, max_size=30))
def test_every_age_is_told_at_most_once_however_often_a_post_is_sampled(
    samples: list[tuple[int, int]],
) -> None:
    samples.sort()
    told: list[int] = []
    before: tuple[int, int] | None = None
    for age_ms, views in samples:
        t0, v0 = before if before else (None, None)
        told += [age_s for age_s, _, _ in _at(t0, v0, age_ms, views)]
        before = age_ms, views
    assert len(told) == len(set(told))
    assert set(told) <= set(AGES_S)
