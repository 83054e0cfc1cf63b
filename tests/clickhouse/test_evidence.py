"""The observed part of a span of time: by hand, and against a count of single instants."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickhouse.evidence import (
    DIVISIBLE_MS,
    Ages,
    Observed,
    Segment,
    cohort,
    per_day,
    reading,
    segment,
)
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS

SEGMENTS = st.lists(
    st.builds(
        lambda start, length, divisible: Segment(start, start + length, divisible),
        st.integers(0, 40),
        st.integers(0, 12),
        st.booleans(),
    ),
    max_size=12,
)
RANGES = st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda r: (r[0], r[0] + r[1]))


def counted(segments: list[Segment], from_ms: int, to_ms: int) -> int:
    """The same by looking at every instant."""

    def covers(each: Segment, at_ms: int) -> bool:
        whole = from_ms <= each.from_ms and each.to_ms <= to_ms
        return each.from_ms <= at_ms < each.to_ms and (each.divisible or whole)

    return sum(any(covers(s, at_ms) for s in segments) for at_ms in range(from_ms, to_ms))


@given(SEGMENTS, RANGES)
def test_length_is_that_of_the_instants_covered(
    segments: list[Segment], asked: tuple[int, int]
) -> None:
    observed = Observed(segments)
    assert observed.length_ms(*asked) == counted(segments, *asked)
    assert 0.0 <= observed.share(*asked) <= 1.0


@given(SEGMENTS, RANGES)
def test_spans_are_in_order_apart_and_inside(
    segments: list[Segment], asked: tuple[int, int]
) -> None:
    spans = Observed(segments).spans(*asked)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(set(edges))
    assert all(asked[0] <= edge <= asked[1] for edge in edges)
    assert Observed(segments).newest_ms(*asked) == (edges[-1] if edges else None)


@given(SEGMENTS, st.permutations(range(12)))
def test_the_order_of_segments_does_not_matter(segments: list[Segment], order: list[int]) -> None:
    other = [segments[i] for i in order if i < len(segments)]
    assert Observed(other).spans(0, 60) == Observed(segments).spans(0, 60)


@given(SEGMENTS, st.integers(0, 30), st.integers(0, 30))
def test_a_wider_range_changes_the_share_and_not_the_length(
    segments: list[Segment], before: int, after: int
) -> None:
    """The law of every figure: what was not observed adds nothing."""
    observed = Observed(segments)
    first = min((s.from_ms for s in segments), default=0)
    last = max((s.to_ms for s in segments), default=1)
    last = max(last, first + 1)
    wider = (first - before, last + after)
    assert observed.spans(*wider) == observed.spans(first, last)
    assert per_day(7, HOUR_MS + observed.length_ms(*wider)) == per_day(
        7, HOUR_MS + observed.length_ms(first, last)
    )
    assert observed.share(*wider) <= observed.share(first, last)


@given(SEGMENTS, RANGES, st.integers(1, 19))
def test_parts_of_a_range_never_cover_more_than_the_whole(
    segments: list[Segment], asked: tuple[int, int], cut: int
) -> None:
    """A cut through a long segment loses it in both parts; nothing is counted twice."""
    observed = Observed(segments)
    middle = min(asked[0] + cut, asked[1])
    parts = observed.length_ms(asked[0], middle) + observed.length_ms(middle, asked[1])
    assert parts <= observed.length_ms(*asked)
    if all(s.divisible for s in segments):
        assert parts == observed.length_ms(*asked)


def test_of_a_long_segment_no_part_counts() -> None:
    long = Observed([segment(0, DIVISIBLE_MS + 1)])
    assert long.share(0, DIVISIBLE_MS + 1) == 1.0
    assert long.share(1, DIVISIBLE_MS + 1) == 0.0
    assert long.share(0, DIVISIBLE_MS) == 0.0
    longest_divisible = Observed([segment(0, DIVISIBLE_MS)])
    assert longest_divisible.share(MINUTE_MS, 2 * MINUTE_MS) == 1.0


def test_nothing_observed_is_nothing() -> None:
    nothing = Observed()
    assert (nothing.share(0, 10), nothing.spans(0, 10), nothing.newest_ms(0, 10)) == (0.0, [], None)


def test_a_reading_begins_with_the_day_of_its_oldest_post() -> None:
    assert reading(DAY_MS + 1, DAY_MS + HOUR_MS) == Segment(DAY_MS, DAY_MS + HOUR_MS)


def test_posts_a_day_are_of_the_time_that_was_read() -> None:
    assert per_day(3, DAY_MS // 2) == 6.0
    assert per_day(0, DAY_MS) == 0.0
    assert per_day(3, HOUR_MS - 1) is None
    assert per_day(None, DAY_MS) is None


POSTS = st.lists(st.frozensets(st.sampled_from((1, 12, 24, 48))), max_size=12)


def chosen(posts: list[Ages]) -> tuple[Ages, int]:
    """The ages, and how many posts are known at all of them."""
    ages = cohort(Counter(posts))
    return ages, sum(ages <= known for known in posts)


@given(POSTS)
def test_no_other_ages_rest_on_more(posts: list[Ages]) -> None:
    ages, number = chosen(posts)
    for mask in range(1, 16):
        others = frozenset(age for i, age in enumerate((1, 12, 24, 48)) if mask >> i & 1)
        product = len(others) * sum(others <= known for known in posts)
        assert product <= len(ages) * number
        if product == len(ages) * number and product:
            assert len(others) <= len(ages)
            if len(others) == len(ages):
                assert sorted(others, reverse=True) <= sorted(ages, reverse=True)
    assert bool(ages) == any(posts)


@given(POSTS, st.integers(0, 5), st.randoms())
def test_posts_known_at_no_age_and_their_order_choose_nothing(
    posts: list[Ages], unknown: int, random: Random
) -> None:
    others = [*posts, *[frozenset[int]()] * unknown]
    random.shuffle(others)
    assert cohort(Counter(others)) == cohort(Counter(posts))


@pytest.mark.parametrize(
    ("posts", "expected"),
    [
        # An old post that passes 48 h does not take the younger ones' reach away.
        ([{1, 12}, {1, 12}, {48}], ({1, 12}, 2)),
        # Sampled every two hours: hardly any is known at 1 h.
        ([{12, 24}, {12, 24}, {12, 24}, {1, 12, 24}], ({12, 24}, 4)),
        # Two of one age, or one of two: more ages.
        ([{1}, {1, 12}], ({1, 12}, 1)),
        # One of either: the older.
        ([{1}, {24}, {12}], ({24}, 1)),
        ([{1, 48}, {12, 24}], ({1, 48}, 1)),
        ([set()], (set(), 1)),
        ([], (set(), 0)),
    ],
)
def test_a_cohort(posts: list[set[int]], expected: tuple[set[int], int]) -> None:
    assert chosen([frozenset(ages) for ages in posts]) == expected
