from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agents.updates.channel import Channel
from agents.updates.gaps import BEGINNING_MS, KEPT_MS, STEP_MS, observed_between
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tables.windows import LATENESS_MS

T = 1_700_000_000_000
#: Steps from one observation to the next: within a stretch, its edge, hours, and days.
steps = st.sampled_from(
    [1, MINUTE_MS, STEP_MS - 1, STEP_MS, STEP_MS + 1, HOUR_MS, DAY_MS - HOUR_MS, DAY_MS, 3 * DAY_MS]
)
#: How far before an observation what is asked for begins and ends.
parts = st.sampled_from([0, 1, MINUTE_MS, STEP_MS, STEP_MS + 1, HOUR_MS])


def _observed(instants: Sequence[int]) -> Channel:
    channel = Channel()
    for at_ms in instants:
        channel.advance(at_ms)
    return channel


@given(st.lists(steps, min_size=1, max_size=30), st.data())
def test_what_is_said_of_a_day_is_so_and_what_is_not_said_is_not_or_near_the_edge(
    distances: list[int], data: st.DataObject
) -> None:
    instants = [T + sum(distances[:number]) for number in range(len(distances) + 1)]
    channel = _observed(instants)
    near = data.draw(st.sampled_from(instants))
    from_ms = max(near - data.draw(parts), instants[-1] - DAY_MS)
    to_ms = data.draw(st.sampled_from(instants)) + data.draw(parts)
    exactly = any(from_ms <= at_ms < to_ms for at_ms in instants)
    if observed_between(channel.gaps, from_ms, to_ms):
        assert exactly
    elif exactly:
        before, after = (
            [at_ms for at_ms in instants if at_ms < from_ms],
            [at_ms for at_ms in instants if at_ms >= from_ms],
        )
        assert to_ms - from_ms <= STEP_MS
        assert after[0] - before[-1] <= STEP_MS


@given(st.lists(st.tuples(steps, st.integers(0, LATENESS_MS)), min_size=2, max_size=12))
def test_the_order_of_observations_within_the_lateness_makes_no_difference(
    told: list[tuple[int, int]],
) -> None:
    at_ms, arrived = T, []
    for step_ms, delay_ms in told:
        at_ms += step_ms
        arrived.append((at_ms + delay_ms, at_ms))
    in_order = [at_ms for _, at_ms in arrived]
    assert _of_a_day([at_ms for _, at_ms in sorted(arrived)]) == _of_a_day(in_order)


def _of_a_day(instants: Sequence[int]) -> list[tuple[int, int]]:
    channel = _observed(instants)
    return [gap for gap in channel.gaps if gap[1] >= channel.watermark_ms - DAY_MS]


def test_an_import_of_long_ago_is_no_observation_of_today() -> None:
    channel = _observed([T, T - 365 * DAY_MS])
    assert not observed_between(channel.gaps, T - DAY_MS, T)
    assert observed_between(channel.gaps, T - 366 * DAY_MS, T)


def test_a_row_of_a_version_that_knew_the_first_observation_alone() -> None:
    channel = Channel(first_observed_ms=T, watermark_ms=T + HOUR_MS)
    channel.advance(T + HOUR_MS + MINUTE_MS)
    assert channel.gaps == [(BEGINNING_MS, T)]
    assert not observed_between(channel.gaps, T - DAY_MS, T)
    assert observed_between(channel.gaps, T - DAY_MS, T + 1)


def test_gaps_of_more_than_a_day_ago_are_forgotten() -> None:
    every = STEP_MS + 1
    channel = _observed(range(T, T + 10 * DAY_MS, every))
    assert len(channel.gaps) <= KEPT_MS // every + 1
    assert channel.gaps[-1][1] - channel.gaps[0][1] <= KEPT_MS
