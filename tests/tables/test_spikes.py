from tables.spikes import CALM_MINUTES, KEPT_MINUTES, NEEDED_MINUTES, Spikes
from tables.windows import MINUTE_MS


def _known(minutes: int, views: int) -> Spikes:
    state = Spikes()
    for number in range(minutes):
        assert not state.see(number * MINUTE_MS, views, number * MINUTE_MS)
        assert not state.close(number * MINUTE_MS, views)
    return state


def test_one_minute_too_few_known_tells_nothing() -> None:
    state = _known(NEEDED_MINUTES - 1, 10)
    assert not state.see(99 * MINUTE_MS, 10_000, 1)
    assert state.close(99 * MINUTE_MS, 10) is False
    assert state.see(100 * MINUTE_MS, 10_000, 1)


def test_exactly_four_times_the_median_is_a_spike_and_one_less_is_not() -> None:
    assert not _known(NEEDED_MINUTES, 10).see(99 * MINUTE_MS, 39, 1)
    assert _known(NEEDED_MINUTES, 10).see(99 * MINUTE_MS, 40, 1)


def test_a_quiet_channel_needs_thirty_views() -> None:
    assert not _known(NEEDED_MINUTES, 0).see(99 * MINUTE_MS, 29, 1)
    assert _known(NEEDED_MINUTES, 0).see(99 * MINUTE_MS, 30, 1)


def test_it_grows_only_by_a_higher_minute() -> None:
    state = _known(NEEDED_MINUTES, 10)
    assert state.see(99 * MINUTE_MS, 40, 1)
    assert not state.see(99 * MINUTE_MS, 40, 2)
    assert state.see(100 * MINUTE_MS, 41, 3)
    assert not state.see(98 * MINUTE_MS, 50, 4)
    assert state.spike is not None
    assert (state.spike.observed, state.spike.expected) == (41, 10)


def test_it_is_over_after_five_calm_minutes_in_a_row() -> None:
    state = _known(NEEDED_MINUTES, 10)
    state.see(99 * MINUTE_MS, 40, 1)
    assert not state.close(99 * MINUTE_MS, 40)
    minutes = [10] * (CALM_MINUTES - 1) + [20] + [19] * CALM_MINUTES
    resolved = [state.close((100 + n) * MINUTE_MS, views) for n, views in enumerate(minutes)]
    assert resolved == [False] * (len(minutes) - 1) + [True]
    assert state.spike is not None
    assert state.spike.resolved_at_ms == (100 + len(minutes)) * MINUTE_MS


def test_a_minute_closed_twice_counts_once() -> None:
    state = _known(NEEDED_MINUTES, 10)
    before = list(state.minutes)
    assert not state.close((NEEDED_MINUTES - 1) * MINUTE_MS, 1000)
    assert state.minutes == before


def test_no_more_than_the_last_sixty_minutes_are_kept() -> None:
    assert len(_known(KEPT_MINUTES + 5, 10).minutes) == KEPT_MINUTES
