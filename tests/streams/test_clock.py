"""Clocks that run faster."""

import pytest

from streams.clock import SpeededClock, SystemClock


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


def test_the_system_clock_tells_milliseconds_of_this_century() -> None:
    assert 1_600_000_000_000 < SystemClock().now_ms() < 4_102_444_800_000
