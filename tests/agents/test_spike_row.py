from agents.spikes.row import (
    FEW_SAMPLES,
    GAP_MS,
    KEPT_MINUTES,
    MORE_SAMPLES,
    NEEDED_MINUTES,
    USUAL,
    Pace,
    Spikes,
)
from streams.units import MINUTE_MS

#: The first minute that is not known to `_known(NEEDED_MINUTES, …)`.
NEXT = NEEDED_MINUTES
POSTS = 10
CALM = USUAL.calm_minutes


def _pace(views: float, samples: int = POSTS) -> Pace:
    return views, samples


def _known(minutes: int, views: int) -> Spikes:
    state = Spikes()
    for number in range(minutes):
        assert not state.see(number * MINUTE_MS, _pace(views), number * MINUTE_MS)
        assert not state.close(number * MINUTE_MS, _pace(views))
    return state


def test_one_minute_too_few_known_tells_nothing() -> None:
    state = _known(NEEDED_MINUTES - 1, 10)
    assert not state.see((NEXT - 1) * MINUTE_MS, _pace(10_000), 1)
    assert state.close((NEXT - 1) * MINUTE_MS, _pace(10)) is False
    assert state.see(NEXT * MINUTE_MS, _pace(10_000), 1)


def test_exactly_four_times_the_median_is_a_spike_and_a_little_less_is_not() -> None:
    assert not _known(NEEDED_MINUTES, 10).see(NEXT * MINUTE_MS, _pace(39.999), 1)
    assert _known(NEEDED_MINUTES, 10).see(NEXT * MINUTE_MS, _pace(40), 1)


def test_a_quiet_channel_needs_thirty_views() -> None:
    assert not _known(NEEDED_MINUTES, 0).see(NEXT * MINUTE_MS, _pace(29), 1)
    assert _known(NEEDED_MINUTES, 0).see(NEXT * MINUTE_MS, _pace(30), 1)


def test_after_an_exact_gap_a_minute_is_compared_and_after_a_longer_one_not() -> None:
    last_ms = (NEXT - 1) * MINUTE_MS
    assert _known(NEEDED_MINUTES, 10).see(last_ms + GAP_MS, _pace(40), 1)
    state = _known(NEEDED_MINUTES, 10)
    assert not state.see(last_ms + GAP_MS + MINUTE_MS, _pace(40), 1)
    assert state.minutes == []


def test_a_minute_before_the_gap_that_closes_after_it_is_not_compared_with() -> None:
    state = _known(NEEDED_MINUTES, 10)
    state.see(NEXT * MINUTE_MS, _pace(10), 1)
    state.see(NEXT * MINUTE_MS + 2 * GAP_MS, _pace(10), 1)
    state.close(NEXT * MINUTE_MS, _pace(10))
    assert state.minutes == []


def test_a_minute_is_compared_with_those_that_rest_on_about_as_many_samples() -> None:
    most = POSTS * MORE_SAMPLES + FEW_SAMPLES
    assert _known(NEEDED_MINUTES, 10).see(NEXT * MINUTE_MS, _pace(40, most), 1)
    assert not _known(NEEDED_MINUTES, 10).see(NEXT * MINUTE_MS, _pace(40, most + 1), 1)
    assert _known(NEEDED_MINUTES, 10).see(NEXT * MINUTE_MS, _pace(40, 1), 1)


def test_it_grows_only_by_a_higher_minute() -> None:
    state = _known(NEEDED_MINUTES, 10)
    assert state.see(NEXT * MINUTE_MS, _pace(40), 1)
    assert not state.see(NEXT * MINUTE_MS, _pace(40), 2)
    assert state.see((NEXT + 1) * MINUTE_MS, _pace(41), 3)
    assert not state.see((NEXT - 1) * MINUTE_MS, _pace(50), 4)
    assert state.spike is not None
    assert (state.spike.observed, state.spike.expected) == (41, 10)


def test_it_is_over_after_five_calm_minutes_in_a_row() -> None:
    state = _known(NEEDED_MINUTES, 10)
    state.see(NEXT * MINUTE_MS, _pace(40), 1)
    assert not state.close(NEXT * MINUTE_MS, _pace(40))
    minutes = [10] * (CALM - 1) + [20] + [19] * CALM
    resolved = [
        state.close((NEXT + 1 + n) * MINUTE_MS, _pace(views)) for n, views in enumerate(minutes)
    ]
    assert resolved == [False] * (len(minutes) - 1) + [True]
    assert state.spike is not None
    assert state.spike.resolved_at_ms == (NEXT + 1 + len(minutes)) * MINUTE_MS


def test_after_a_gap_it_is_over_by_what_was_usual_when_it_was_raised() -> None:
    state = _known(NEEDED_MINUTES, 10)
    state.see(NEXT * MINUTE_MS, _pace(40), 1)
    after_ms = NEXT * MINUTE_MS + 2 * GAP_MS
    resolved = []
    for number in range(CALM):
        state.see(after_ms + number * MINUTE_MS, _pace(19), 2)
        resolved.append(state.close(after_ms + number * MINUTE_MS, _pace(19)))
    assert resolved == [False] * (CALM - 1) + [True]


def test_a_minute_closed_twice_counts_once() -> None:
    state = _known(NEEDED_MINUTES, 10)
    before = list(state.minutes)
    assert not state.close((NEEDED_MINUTES - 1) * MINUTE_MS, _pace(1000))
    assert state.minutes == before


def test_no_more_than_the_last_sixty_minutes_are_kept() -> None:
    assert len(_known(KEPT_MINUTES + 5, 10).minutes) == KEPT_MINUTES
