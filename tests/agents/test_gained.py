"""What channels gain, whatever messages tell it; and which time windows rest on."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.analytics import ActivityWindow
from streams.events import ChannelDescribed, CountersSampled, Post, PostsSeen, SubscribersSampled
from streams.ids import PostId
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tables.windows import LATENESS_MS
from tests.agents.pure import CHANNEL, Pure

T = 28_333_334 * MINUTE_MS
ONE = PostId(1)
IDS = [PostId(60 + number) for number in range(8)]


def _views(at_ms: int, *views: int | None, ids: Sequence[PostId] = (ONE,)) -> CountersSampled:
    return CountersSampled(
        channel_id=CHANNEL, observed_at_ms=at_ms, post_ids=list(ids), views=list(views)
    )


def _seen(at_ms: int, date_ms: int) -> PostsSeen:
    return PostsSeen(channel_id=CHANNEL, observed_at_ms=at_ms, posts=[Post(ONE, date_ms)])


def _described(at_ms: int) -> ChannelDescribed:
    return ChannelDescribed(channel_id=CHANNEL, observed_at_ms=at_ms, title="a")


def _windows(pure: Pure) -> dict[int, ActivityWindow]:
    return {w.start_ms: w for w in pure.upserts.values() if isinstance(w, ActivityWindow)}


def _gained(pure: Pure) -> int | None:
    gains = [w.views_gained for w in _windows(pure).values() if w.views_gained is not None]
    return sum(gains) if gains else None


rounds = st.lists(
    st.lists(st.none() | st.integers(0, 300), min_size=len(IDS), max_size=len(IDS)),
    min_size=1,
    max_size=6,
)


@given(rounds, st.lists(st.integers(1, 7), max_size=3))
def test_samples_of_one_instant_gain_the_same_in_any_messages(
    told: list[list[int | None]], cuts: list[int]
) -> None:
    edges = [0, *sorted(set(cuts)), len(IDS)]
    whole, split = Pure(), Pure()
    for number, views in enumerate(told):
        at_ms = T + number * 50_000
        whole.fold(_views(at_ms, *views, ids=IDS))
        for start, stop in itertools.pairwise(edges):
            split.fold(_views(at_ms, *views[start:stop], ids=IDS[start:stop]))
    one, other = _windows(whole), _windows(split)
    # Messages without any counter tell of no sampling.
    assert {s: w.views_gained for s, w in one.items()} == {
        s: w.views_gained for s, w in other.items()
    }
    for start_ms, window in one.items():
        assert other[start_ms].samples == window.samples
        assert other[start_ms].views_pace == pytest.approx(window.views_pace, abs=0.002)
        assert other[start_ms].top_views_gained == window.top_views_gained
        assert other[start_ms].sampled_from_ms == window.sampled_from_ms


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_a_post_that_counts_from_zero_gains_its_highest_counter(views: list[int]) -> None:
    pure = Pure()
    pure.fold_all([_described(T), _seen(T + 2, T + 1)])
    pure.fold_all(_views(T + (1 + n) * 40_000, count) for n, count in enumerate(views))
    assert _gained(pure) == max(views)


@pytest.mark.parametrize(
    ("observed_ms", "gained"),
    [
        ([0], 10),
        # It was there before anybody looked.
        ([2 * HOUR_MS], None),
        # Looked at last more than a day before the sample.
        ([-20 * HOUR_MS], None),
        ([-20 * HOUR_MS, HOUR_MS - 1], 10),
        ([-20 * HOUR_MS, HOUR_MS], None),
        ([-40 * DAY_MS, -20 * DAY_MS], None),
    ],
)
def test_a_post_counts_from_zero_where_the_channel_was_observed_before_it(
    observed_ms: list[int], gained: int | None
) -> None:
    pure = Pure()
    date_ms, sampled_ms = T + HOUR_MS, T + 5 * HOUR_MS
    pure.fold_all(_described(T + at_ms) for at_ms in observed_ms)
    pure.fold_all([_seen(sampled_ms, date_ms), _views(sampled_ms, 10)])
    assert _gained(pure) == gained


def test_an_import_of_long_ago_makes_no_old_post_new() -> None:
    pure = Pure()
    pure.fold_all([_described(T), _described(T - 400 * DAY_MS)])
    pure.fold_all([_seen(T + 1, T - HOUR_MS), _views(T + 1, 5000)])
    assert _gained(pure) is None


def test_a_window_after_a_day_without_sampling_rests_on_nothing_before_it() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + DAY_MS, 2), _views(T + 2 * DAY_MS + 1, 3)])
    assert {
        start - T: (w.sampled_from_ms, w.sampled_to_ms) for start, w in _windows(pure).items()
    } == {
        0: (None, T),
        DAY_MS: (T, T + DAY_MS),
        2 * DAY_MS: (None, T + 2 * DAY_MS + 1),
    }


def test_subscribers_and_posts_without_counters_are_no_sampling() -> None:
    pure = Pure()
    counted = SubscribersSampled(channel_id=CHANNEL, observed_at_ms=T, subscribers=5)
    pure.fold_all([counted, _seen(T + 1, T), _views(T + 2, None)])
    assert [w.sampled_to_ms for w in _windows(pure).values()] == [None]


def test_a_sample_out_of_order_parts_the_time_that_the_next_window_rests_on() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 1), _views(T + 5 * MINUTE_MS, 2)])
    pure.fold(_views(T + 3 * MINUTE_MS, 7, ids=[PostId(2)]))
    windows = _windows(pure)
    assert windows[T + 3 * MINUTE_MS].sampled_from_ms == T
    assert windows[T + 5 * MINUTE_MS].sampled_from_ms == T + 3 * MINUTE_MS
    assert windows[T + 5 * MINUTE_MS].views_gained == 1


def test_a_late_sample_parts_the_time_that_the_first_open_window_rests_on() -> None:
    pure = Pure()
    at_ms = T + MINUTE_MS + LATENESS_MS
    pure.fold_all([_views(T, 1), _views(at_ms, 2), _views(T + 30_000, 7, ids=[PostId(2)])])
    windows = _windows(pure)
    assert windows[T].sampled_to_ms == T
    assert windows[at_ms].sampled_from_ms == T + 30_000


def test_the_top_post_is_the_one_that_raised_the_pace_and_not_one_sampled_seldom() -> None:
    pure = Pure()
    seldom, often = PostId(2), PostId(100)
    pure.fold_all(
        [_views(T, 0, 0, ids=[seldom, often]), _views(T + 59 * MINUTE_MS, 0, ids=[often])]
    )
    pure.fold(_views(T + 60 * MINUTE_MS, 900, 100, ids=[seldom, often]))
    window = _windows(pure)[T + 60 * MINUTE_MS]
    assert (window.top_post_id, window.top_views_gained) == (often, 100)
    assert window.views_gained == 1000


def test_what_the_top_post_gains_in_one_minute_adds_up() -> None:
    pure = Pure()
    ids = [PostId(2), PostId(100)]
    pure.fold_all([_views(T, 0, 0, ids=ids), _views(T + 10_000, 40, 50, ids=ids)])
    pure.fold(_views(T + 20_000, 60, ids=ids[1:]))
    window = _windows(pure)[T]
    assert (window.top_post_id, window.top_views_gained) == (100, 60)


def test_a_minute_without_gains_has_no_top_post() -> None:
    pure = Pure()
    pure.fold_all([_views(T, 5), _views(T + 1, 5)])
    window = _windows(pure)[T]
    assert (window.views_gained, window.top_post_id, window.top_views_gained) == (0, None, None)
