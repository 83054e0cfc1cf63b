"""Timers of decisions: when they fire, in which order, and what of them survives."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from agents.engine.decision import Decision
from agents.engine.step_context import StepContext
from agents.engine.ticker import Ticker
from agents.pipeline import INPUTS, PIPELINE
from streams.analytics import ActivityWindow, Alert
from streams.codec import Selection, encode
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from streams.topics import ALERTS, UPDATES, WINDOWS, channel_key
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tables.rows import RowDecoder
from tables.timers import Timer, TimerRow
from tests.agents.in_memory import InMemory
from tests.agents.quiet import LATENESS_MS, QUIET, SETTLED_MS, Quiet, put_quiet
from tests.streams.sources.manual_clock import ManualClock

T = 1_760_000_040_000
CHANNEL = ChannelId(7)


def window(minute: int, *, views: int | None = 1, channel: int = CHANNEL) -> ActivityWindow:
    """Observed when it began."""
    start_ms = T + minute * MINUTE_MS
    return ActivityWindow(
        channel_id=ChannelId(channel),
        observed_at_ms=start_ms,
        start_ms=start_ms,
        views_gained=views,
    )


def put(run: InMemory, *windows: ActivityWindow) -> None:
    for each in windows:
        key = channel_key(each.channel_id)
        run.append(WINDOWS.name, key, encode(each), each.observed_at_ms)


def opened(decision: Decision = QUIET) -> InMemory:
    return InMemory((decision,), INPUTS, ManualClock(2**41))


def row(run: InMemory, channel: int = CHANNEL) -> Quiet:
    return RowDecoder(Quiet)(run.tables["quiet"][channel_key(ChannelId(channel))])


def alerts(run: InMemory) -> list[Alert]:
    decode = Selection[Alert](Alert).decode
    found = [decode(record.value or b"") for record in run.topics[ALERTS.name]]
    return [alert for alert in found if alert is not None]


def said(run: InMemory) -> list[tuple[int, str]]:
    return [(alert.channel_id, alert.state) for alert in alerts(run)]


def test_a_timer_fires_before_the_message_that_passes_it() -> None:
    run = opened()
    put(run, window(0), window(62))
    run.run()
    assert said(run) == [(CHANNEL, "raised"), (CHANNEL, "resolved")]
    assert row(run).hours == 1


def test_it_does_not_fire_a_millisecond_before_its_lateness_is_over() -> None:
    run = opened()
    put(run, window(0))
    run.tick(T + HOUR_MS + LATENESS_MS - 1)
    run.run()
    assert said(run) == []
    run.tick(T + HOUR_MS + LATENESS_MS)
    run.run()
    assert said(run) == [(CHANNEL, "raised")]


def test_what_is_late_still_moves_a_timer() -> None:
    run = opened()
    put(run, window(0), window(61, views=None), window(30), window(62, views=None))
    run.run()
    assert said(run) == []


def test_a_tick_fires_in_the_order_of_time_and_then_of_keys() -> None:
    run = opened()
    put(run, window(0, channel=9), window(1, channel=30), window(0, channel=8))
    run.tick(T + DAY_MS)
    run.run()
    assert said(run) == [(8, "raised"), (9, "raised"), (30, "raised")]


def test_a_timer_that_sets_the_next_fires_until_the_tick() -> None:
    run = opened()
    put(run, window(0))
    run.tick(T + 5 * HOUR_MS + LATENESS_MS)
    run.run()
    assert row(run).hours == 5
    assert run.tables["quiet-timers"] == {
        b"0/7": b"\x94\x02\x01\x81\xa5hours" + msgspec.msgpack.encode(T + 6 * HOUR_MS) + b"\x00"
    }
    run.tick(T + 2 * DAY_MS)
    run.run()
    assert row(run).hours == 24
    # A key without timers has no row.
    assert run.tables["quiet-timers"] == {}


def test_an_earlier_tick_after_a_later_one_moves_nothing() -> None:
    run = opened()
    put(run, window(0))
    run.tick(T + 3 * HOUR_MS)
    run.tick(T)
    run.run()
    assert (row(run).hours, said(run)) == (2, [(CHANNEL, "raised")])


def test_channels_are_timed_by_themselves() -> None:
    """A recording that is replayed beside a live channel is not late as a whole."""
    run = opened()
    put(run, window(0), window(10_000, channel=8), window(5), window(10))
    run.run()
    assert said(run) == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_tick_passes_over_keys_whose_messages_are_coming_in(*, restarted: bool) -> None:
    """A recording is replayed: by the clock it is a year later, by its messages it is not."""
    run, now_ms = opened(), T + 365 * DAY_MS
    put(run, window(0), window(0, channel=8))
    run.tick(now_ms)
    early, late, tick = run.topics[WINDOWS.name]
    run.topics[WINDOWS.name] = [
        early._replace(appended_ms=now_ms - SETTLED_MS),
        late._replace(appended_ms=now_ms - SETTLED_MS + 1),
        tick._replace(appended_ms=now_ms),
    ]
    run.run_topic(WINDOWS.name, 2)
    if restarted:
        run.restart()
    run.run()
    assert said(run) == [(CHANNEL, "raised")]
    assert row(run).hours == 24
    # Nothing more comes: the next tick is for it as well.
    run.tick(now_ms)
    *before, tick = run.topics[WINDOWS.name]
    run.topics[WINDOWS.name] = [*before, tick._replace(appended_ms=now_ms + 1)]
    run.run()
    assert said(run) == [(CHANNEL, "raised"), (8, "raised")]


def test_timers_survive_a_restart() -> None:
    run = opened()
    put(run, window(0))
    run.run()
    run.restart()
    run.tick(T + DAY_MS)
    run.run()
    assert said(run) == [(CHANNEL, "raised")]


def test_messages_that_come_again_set_and_fire_nothing() -> None:
    run = opened()
    put(run, window(0))
    run.tick(T + 2 * HOUR_MS)
    put(run, window(200), window(100))
    run.run()
    tables = {name: dict(rows) for name, rows in run.tables.items()}
    for position in range(4):
        run.restart({WINDOWS.name: position})
        run.run()
        assert run.tables == tables
    run.tick(T + DAY_MS)
    run.run()
    assert row(run).silences == 2


def test_a_timer_that_is_set_behind_its_time_fires_with_what_comes_next() -> None:
    def late(state: Quiet, message: ActivityWindow, context: StepContext) -> Sequence[Any]:
        state.last_offset = context.offset
        context.set_timer(message.start_ms - HOUR_MS, "silence")
        return []

    run = opened(msgspec.structs.replace(QUIET, steps=(late,)))
    put(run, window(0))
    run.run()
    assert said(run) == []
    put(run, window(1))
    run.run()
    assert said(run) == [(CHANNEL, "raised")]


def test_a_cancelled_timer_does_not_fire() -> None:
    def cancel(state: Quiet, message: ActivityWindow, context: StepContext) -> Sequence[Any]:
        outputs = put_quiet(state, message, context)
        context.cancel_timer("silence")
        return outputs

    run = opened(msgspec.structs.replace(QUIET, steps=(cancel,)))
    put(run, window(0))
    run.tick(T + DAY_MS)
    run.run()
    assert (row(run).hours, said(run)) == (23, [])


def test_a_timer_that_sets_one_at_its_own_time_is_refused() -> None:
    def again(state: Quiet, timer: Timer, context: StepContext) -> Sequence[Any]:
        context.set_timer(timer.due_ms)
        return []

    run = opened(msgspec.structs.replace(QUIET, on_time=again))
    put(run, window(0))
    run.tick(T + DAY_MS)
    with pytest.raises(ValueError, match="sets one that is not later"):
        run.run()


def test_a_handler_without_timers_is_refused() -> None:
    [updates, _] = PIPELINE
    with pytest.raises(ValueError, match="updates declares on_time, and its handler runs no timer"):
        opened(msgspec.structs.replace(updates, on_time=lambda *_: ()))


def test_a_tick_is_forwarded_behind_what_was_observed_before_it() -> None:
    run = InMemory((*PIPELINE, QUIET), INPUTS, ManualClock(2**41))
    event = SubscribersSampled(channel_id=CHANNEL, observed_at_ms=T, subscribers=5)
    run.append(UPDATES.name, channel_key(CHANNEL), encode(event), T)
    run.tick(T + 1)
    run.run_topic(UPDATES.name)
    *before, tick = run.topics[WINDOWS.name]
    assert before
    assert (tick.key, tick.timestamp_ms) == (None, T + 1)
    assert tick.value == run.topics[UPDATES.name][-1].value
    assert not run.topics[ALERTS.name]


def test_a_tick_after_it_was_appended_is_a_dead_letter() -> None:
    run = InMemory(PIPELINE, INPUTS, ManualClock(T))
    run.tick(T + DAY_MS)
    [tick] = run.topics[UPDATES.name]
    run.topics[UPDATES.name] = [tick._replace(appended_ms=T)]
    run.run()
    [dead] = run.topics[UPDATES.dead]
    assert dead.headers["reason"] == b"future_observation"
    assert not run.topics[WINDOWS.name]


def test_ticks_are_appended_while_a_timer_is_due_and_at_no_other_time() -> None:
    clock = ManualClock(T)
    run = opened()
    ticker = Ticker(run.tasks, [*run.wired.timers.values()], run.wired.roots, clock)
    ticker.tick()
    assert not run.topics[WINDOWS.name]
    put(run, window(0))
    run.run()
    ticker.tick()
    assert len(run.topics[WINDOWS.name]) == 1
    clock.advance(HOUR_MS + LATENESS_MS)
    ticker.tick()
    run.run()
    assert said(run) == [(CHANNEL, "raised")]
    ticker.tick()
    assert len(run.topics[WINDOWS.name]) == 2


def test_a_decision_without_timers_has_no_table_for_them() -> None:
    assert {table.name for each in PIPELINE for table in each.kept} == {
        table.name for each in PIPELINE for table in each.tables
    }
    assert QUIET.timers is not None
    assert (QUIET.timers.name, QUIET.timers.row) == ("quiet-timers", TimerRow)
