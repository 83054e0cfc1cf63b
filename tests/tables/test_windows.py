from hypothesis import given
from hypothesis import strategies as st

from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tables.windows import LATENESS_MS, oldest_open, start_of

times = st.integers(min_value=0, max_value=4_102_444_800_000)
sizes = st.sampled_from([MINUTE_MS, HOUR_MS, DAY_MS])


@given(times, sizes)
def test_windows_cover_time_without_gaps(time_ms: int, size_ms: int) -> None:
    start_ms = start_of(time_ms, size_ms)
    assert start_ms <= time_ms < start_ms + size_ms
    assert start_of(start_ms + size_ms, size_ms) == start_ms + size_ms
    assert start_of(start_ms - 1, size_ms) == start_ms - size_ms


@given(times, sizes)
def test_the_oldest_open_window_is_the_first_that_is_not_closed(
    watermark_ms: int, size_ms: int
) -> None:
    start_ms = oldest_open(watermark_ms, size_ms)
    assert not _is_closed(start_ms, size_ms, watermark_ms)
    assert _is_closed(start_ms - size_ms, size_ms, watermark_ms)


def _is_closed(start_ms: int, size_ms: int, watermark_ms: int) -> bool:
    return watermark_ms >= start_ms + size_ms + LATENESS_MS


def test_a_window_closes_exactly_at_its_end_plus_the_lateness() -> None:
    end_ms = 100 * MINUTE_MS
    closes_ms = end_ms + LATENESS_MS
    assert oldest_open(closes_ms - 1, MINUTE_MS) == end_ms - MINUTE_MS
    assert oldest_open(closes_ms, MINUTE_MS) == end_ms
