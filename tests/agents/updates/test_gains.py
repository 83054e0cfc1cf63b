import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.updates.buckets import NewBuckets, place_of
from agents.updates.channel import Channel
from agents.updates.fixed_ages import Crossing
from agents.updates.gains import Moved, Sample, fold_sample
from agents.updates.gaps import first_gap
from streams.ids import PostId
from streams.units import DAY_MS
from tables.windows import LATENESS_MS
from tests.agents.updates import model

T = 1_700_000_000_000
POST = PostId(130)
#: Of a channel that has been observed since T.
GAPS = first_gap(T)

counters = st.none() | st.integers(0, 1000)
post_ids = st.lists(st.integers(1, 200), min_size=1, max_size=12) | st.builds(
    lambda first, posts: list(range(first, first + posts)), st.integers(1, 190), st.integers(1, 12)
)


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, list[int], list[model.Column]]:
    ids = draw(post_ids)
    column = st.none() | st.lists(counters, min_size=len(ids), max_size=len(ids))
    at_ms = T + draw(
        st.sampled_from(
            [0, 1, 60_000, 300_000, 420_000, DAY_MS, 90 * DAY_MS, 91 * DAY_MS, 200 * DAY_MS]
        )
    )
    return at_ms, ids, [draw(column) for _ in range(4)]


dates = st.dictionaries(
    st.integers(1, 200), st.sampled_from([T - 1, T, T + 1, T + DAY_MS, T + 90 * DAY_MS])
)


@given(st.lists(samples(), max_size=8), dates)
def test_the_fold_says_what_the_plain_model_says(
    stream: list[tuple[int, list[int], list[model.Column]]], known: dict[int, int]
) -> None:
    buckets, posts = NewBuckets(), {}
    for post_id, date_ms in known.items():
        number, slot = place_of(PostId(post_id))
        buckets[number].see(slot, date_ms)
        posts[post_id] = model.ModelPost(date_ms)
    channel, observed = Channel(), {T}
    channel.advance(T)
    for at_ms, ids, columns in stream:
        channel.advance(at_ms)
        observed.add(at_ms)
        # Of what is older than all gaps that are kept, nothing is booked anyway.
        is_late = at_ms < channel.watermark_ms - LATENESS_MS
        gaps, instants = ([], set()) if is_late else (channel.gaps, observed)
        moved = fold_sample(buckets, _sample(at_ms, ids, columns), gaps)
        expected = model.fold(posts, at_ms, ids, columns, instants)
        assert moved.gains == expected.gains
        assert moved.views_pace == pytest.approx(expected.views_pace)
        assert (moved.fell, moved.late) == (expected.fell, expected.late)
        assert set(moved.changed) == expected.changed
        if len(set(ids)) == len(ids):
            assert moved.measured == expected.measured
            _assert_top(moved, expected)
    for post_id, post in posts.items():
        number, slot = place_of(PostId(post_id))
        assert list(buckets[number].newest(slot)) == post.values
        assert buckets[number].sampled_ms[slot] == post.sampled_ms


def _assert_top(moved: Moved, expected: model.Outcome) -> None:
    """Of equal paces any may be the top one."""
    top = moved.top
    if top is None:
        assert not expected.paces
        return
    pace, gain = expected.paces[top.post_id]
    assert top.pace == pytest.approx(pace)
    assert top.views_gained == gain
    assert top.pace == pytest.approx(max(pace for pace, _ in expected.paces.values()))


def _sample(at_ms: int, ids: list[int], columns: list[model.Column]) -> Sample:
    views, forwards, replies, reactions = columns
    return Sample(at_ms, [PostId(i) for i in ids], (views, forwards, replies, reactions))


def _views(*samples: tuple[int, int | None], date_ms: int | None = None) -> list[Moved]:
    buckets = NewBuckets()
    if date_ms is not None:
        number, slot = place_of(POST)
        buckets[number].see(slot, date_ms)
    return [
        fold_sample(buckets, Sample(at_ms, [POST], ([views], None, None, None)), GAPS)
        for at_ms, views in samples
    ]


def test_a_first_sample_is_a_baseline() -> None:
    first, second = _views((T, 10), (T + 1, 12))
    assert first.gains[0] is None
    assert second.gains[0] == 2


def test_no_increment_is_a_gain_of_0_not_an_unknown_one() -> None:
    assert _views((T, 10), (T + 1, 10))[1].gains[0] == 0


def test_a_post_published_one_millisecond_after_an_observation_counts_from_0() -> None:
    assert _views((T + 5, 10), date_ms=T + 1)[0].gains[0] == 10
    assert _views((T + 5, 10), date_ms=T)[0].gains[0] is None


def test_an_observation_exactly_24_h_before_the_sample_counts_from_0_and_an_earlier_one_not() -> (
    None
):
    assert _views((T + DAY_MS, 10), date_ms=T + 1)[0].gains[0] == 10
    assert _views((T + DAY_MS + 1, 10), date_ms=T + 1)[0].gains[0] is None


def test_a_sample_exactly_90_days_later_gains_and_one_millisecond_more_is_a_baseline() -> None:
    assert _views((T, 10), (T + 90 * DAY_MS, 15))[1].gains[0] == 5
    later = _views((T, 10), (T + 90 * DAY_MS + 1, 15), (T + 90 * DAY_MS + 2, 16))
    assert [moved.gains[0] for moved in later] == [None, None, 1]


def test_a_counter_that_falls_and_comes_back_gains_what_lies_above_its_highest_value() -> None:
    fell = _views(*enumerate((10, 4, 6, 3, 10, 13, 14), T))
    assert [moved.gains[0] for moved in fell] == [None, 0, 0, 0, 0, 3, 1]
    assert [moved.fell for moved in fell] == [0, 1, 0, 1, 0, 0, 0]


def test_a_counter_that_fell_starts_anew_after_90_days() -> None:
    fell = _views((T, 10), (T + 1, 4), (T + 91 * DAY_MS, 6), (T + 91 * DAY_MS + 1, 8))
    assert [moved.gains[0] for moved in fell] == [None, 0, None, 2]


def test_the_highest_value_is_kept_only_of_counters_that_are_below_it() -> None:
    buckets = NewBuckets()
    bucket = buckets[place_of(POST)[0]]
    kept = []
    for at_ms, views in enumerate((10, 4, 6, 10), T):
        fold_sample(buckets, Sample(at_ms, [POST], ([views], None, None, None)), GAPS)
        kept.append([high for highs in bucket.highs.values() for high in highs.values()])
    assert kept == [[], [10], [10], []]
    assert bucket.highs == {}
    assert bucket.newest(place_of(POST)[1])[0] == 10


def test_a_sample_late_by_one_changes_nothing() -> None:
    moved = _views((T, 10), (T + 2, 20), (T + 1, 15), (T + 3, 21))
    assert [m.gains[0] for m in moved] == [None, 10, None, 1]
    assert moved[2].late == 1


def test_a_gain_over_five_minutes_counts_a_fifth_and_one_over_seconds_whole() -> None:
    moved = _views((T, 0), (T + 300_000, 50), (T + 310_000, 57), (T + 370_001, 58))
    assert [m.views_pace for m in moved] == [0, 10, 7, pytest.approx(1, rel=1e-4)]


def test_a_new_post_gained_since_it_was_published() -> None:
    assert _views((T + 600_001, 500), date_ms=T + 1)[0].views_pace == 50


def test_a_sample_without_views_does_not_shorten_what_they_were_gained_in() -> None:
    buckets = NewBuckets()
    samples: list[tuple[int, model.Column]] = [
        (0, [10]),
        (100_000, None),
        (200_000, [None]),
        (300_000, [60]),
        (360_000, [61]),
    ]
    paces = [
        fold_sample(buckets, Sample(T + at_ms, [POST], (views, None, None, [1])), GAPS).views_pace
        for at_ms, views in samples
    ]
    assert paces == [0, 0, 0, 10, 1]
    assert buckets[place_of(POST)[0]].viewed_ms == {}


def test_the_same_sample_again_measures_nothing() -> None:
    again = _views((T, 10), (T, 10), (T + 1, 11), (T + 1, 11))
    assert [moved.gains[0] for moved in again] == [None, None, 1, None]
    assert [moved.repeated for moved in again] == [0, 1, 0, 1]


def test_a_counter_that_a_sample_did_not_say_is_not_known_at_an_age() -> None:
    buckets = NewBuckets()
    number, slot = place_of(POST)
    buckets[number].see(slot, T)
    minute = 60_000
    fold_sample(buckets, Sample(T + 3 * minute, [POST], ([5], [1], None, [None])), GAPS)
    fold_sample(buckets, Sample(T + 4 * minute, [POST], ([6], None, [2], [9])), GAPS)
    moved = fold_sample(buckets, Sample(T + 6 * minute, [POST], ([8], [3], [4], None)), GAPS)
    assert moved.crossings == [
        Crossing(POST, 4 * minute, (6, None, 2, 9), 6 * minute, (8, 3, 4, None))
    ]
    assert buckets[number].newest(slot) == (8, 3, 4, 9)
