"""A machine whose clock is minutes off: events are dated by Telegram's clock all the same."""

from collections.abc import Coroutine
from typing import Any

import pytest

from agents.updates.check import checked
from streams.clock import CorrectedClock
from streams.events import CountersSampled, PostsSeen
from streams.units import MINUTE_MS
from tests.collect.conftest import Scene, history, until
from tests.collect.test_outages import said
from tests.streams.sources.manual_clock import ManualClock


class WrongClock:
    """Of a machine that is so many seconds ahead of the world."""

    speed = 1.0

    def __init__(self, clock: ManualClock, ahead_s: int) -> None:
        self._clock = clock
        self.ahead_ms = ahead_s * 1000

    def now_ms(self) -> int:
        return self._clock.now_ms() + self.ahead_ms

    def sleep_ms(self, duration_ms: float) -> Coroutine[Any, Any, None]:
        return self._clock.sleep_ms(duration_ms)


def put_wrong(scene: Scene, ahead_s: int) -> CorrectedClock:
    """The machine is so far ahead of Telegram: Telegram's message ids are as far behind it."""
    scene.telegram.skew_clock(-ahead_s)
    scene.machine = CorrectedClock(WrongClock(scene.clock, ahead_s))
    return scene.machine


@pytest.mark.parametrize("ahead_s", [-7200, -600, -40, 40, 600, 7200])
async def test_events_are_dated_by_telegram_s_clock(
    scene: Scene, caplog: pytest.LogCaptureFixture, ahead_s: int
) -> None:
    clock = put_wrong(scene, ahead_s)
    channel = scene.channel(history=history(3, every_ms=MINUTE_MS))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.world.post(channel, "pushed")
    await until(lambda: scene.seen(channel).get(4) == "pushed")
    scene.clock.advance(MINUTE_MS)
    await until(lambda: scene.of(CountersSampled))
    read, pushed = scene.of(PostsSeen)
    sample = scene.of(CountersSampled)[0]
    now_ms = scene.clock.now_ms()
    for event, at_ms in (
        (read, now_ms - MINUTE_MS),
        (pushed, now_ms - MINUTE_MS),
        (sample, now_ms),
    ):
        assert abs(event.observed_at_ms - at_ms) < 1000
        # the agents of this process have the same clock, and take all of it
        assert checked(event, clock.now_ms(), is_within=True) == (event, ())
    assert all(post.date_ms <= pushed.observed_at_ms for post in pushed.posts)
    says = "behind Telegram's" if ahead_s < 0 else "ahead of Telegram's"
    assert said(caplog, "clock_is_off", says=says) == 1
    [record] = [one for one in caplog.records if one.getMessage() == "clock_is_off"]
    assert abs(vars(record)["off_s"] - abs(ahead_s)) <= 1
    # and once is enough
    scene.telegram.drop_connections()
    await scene.live(channel, times=2)
    assert said(caplog, "clock_is_off") == 1


async def test_a_clock_that_is_right_is_left_alone(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.machine = clock = CorrectedClock(scene.clock)
    channel = scene.channel(history=history(3))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    scene.world.post(channel, "pushed")
    await until(lambda: scene.seen(channel).get(4) == "pushed")
    assert abs(clock.offset_ms) <= 2
    assert said(caplog, "clock_is_off") == 0
