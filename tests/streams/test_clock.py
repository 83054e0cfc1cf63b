"""Clocks that run faster, and clocks that are set right."""

import pytest

from streams.clock import CorrectedClock, SpeededClock, SystemClock


def test_a_speeded_clock_starts_where_it_is_told_and_runs_faster() -> None:
    seconds = iter([100.0, 100.0, 101.5])
    clock = SpeededClock(5_000, 60, monotonic=lambda: next(seconds))
    assert [clock.now_ms(), clock.now_ms()] == [5_000, 95_000]


async def test_it_sleeps_in_its_own_time() -> None:
    clock = SpeededClock(0, 10_000)
    await clock.sleep_ms(60_000)
    assert clock.now_ms() >= 60_000


def test_a_clock_cannot_stand_still() -> None:
    with pytest.raises(ValueError, match="speed"):
        SpeededClock(0, 0)


def test_a_clock_is_corrected_only_as_far_as_is_known() -> None:
    clock = CorrectedClock(SpeededClock(1_000_000, 2.0, monotonic=lambda: 0.0))
    clock.at_least(-50)
    clock.at_most(50)
    assert (clock.now_ms(), clock.offset_ms, clock.speed) == (1_000_000, 0, 2.0)
    clock.at_least(600_000)
    assert clock.now_ms() == 1_600_000
    clock.at_most(600_040)
    clock.at_least(599_000)
    assert clock.offset_ms == 600_000
    clock.at_most(-30_000)
    assert clock.now_ms() == 970_000


def test_the_system_clock_tells_milliseconds_of_this_century() -> None:
    assert 1_600_000_000_000 < SystemClock().now_ms() < 4_102_444_800_000
