"""Timers in the real Faust on the embedded log: fired by ticks, and the same after kill -9."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.pipeline import INPUTS
from streams.analytics import Alert
from streams.broadcasts import Tick
from streams.codec import Selection
from streams.events import CountersSampled, Event, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.log import Log, Record
from streams.topics import ALERTS, UPDATES, WINDOWS
from streams.units import DAY_MS, MINUTE_MS
from tests.agents.in_memory import InMemory
from tests.agents.quiet import QUIET
from tests.agents.victim import KILLED, kill_after, run_victim
from tests.agents.working import (
    PATIENCE_S,
    Working,
    append,
    drafts_of,
    opened,
    recorded_events,
    working,
)
from tests.streams.sources.manual_clock import ManualClock

TICK_S = 0.02
KILLS = 4
T = 1_760_000_040_000


def posted() -> list[Event]:
    """A post that gains views within its first two minutes."""
    channel_id, one = ChannelId(7), PostId(1)
    return [
        PostsSeen(channel_id=channel_id, observed_at_ms=T, posts=[Post(one, T, views=0)]),
        CountersSampled(
            channel_id=channel_id, observed_at_ms=T + MINUTE_MS, post_ids=[one], views=[5]
        ),
    ]


async def test_a_timer_fires_though_nothing_is_observed(tmp_path: Path) -> None:
    clock = ManualClock(T + 5 * MINUTE_MS)
    async with working(tmp_path, clock=clock, more=[QUIET], tick_s=TICK_S) as work:
        await append(work.log, drafts_of(posted()))
        await work.settled()
    # The timer is due while no worker runs, and is there when one does.
    clock.advance(DAY_MS)
    async with working(tmp_path, clock=clock, more=[QUIET], tick_s=TICK_S) as work:
        await fired(work)
        assert [alert.state for alert in await quiet_alerts(work.log)] == ["raised"]
        # Only the partition in which a timer was due has ticks, of both topics the same.
        [(number, ticks)] = (await ticks_in(work.log, UPDATES.name)).items()
        assert await ticks_in(work.log, WINDOWS.name) == {number: ticks}
        assert ticks[0] == Tick(at_ms=clock.now_ms())


async def test_kills_leave_timers_and_what_they_led_to_as_the_log_says(tmp_path: Path) -> None:
    drafts = drafts_of(recorded_events()[:1200])
    chance = random.Random(6)
    share = len(drafts) // KILLS
    for turn in range(KILLS):
        log = await opened(tmp_path)
        await append(log, drafts[turn * share : (turn + 1) * share])
        await log.close()
        messages, delay_ms = chance.randint(1, share), chance.uniform(0, 60)
        assert run_victim(tmp_path, messages, delay_ms, work_until_killed) == KILLED
    async with working(tmp_path, more=[QUIET], tick_s=TICK_S) as work:
        await fired(work)
        assert await ticks_in(work.log, WINDOWS.name)
        tables, alerts = await expected(work.log)
        assert dict(work.app.tables["quiet"].data.items()) == tables
        assert tables
        assert sorted(map(repr, await quiet_alerts(work.log))) == sorted(map(repr, alerts))
        assert alerts


async def fired(work: Working) -> None:
    """Returns when no timer waits and all is processed."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await work.settled()
            tables: Any = work.app.tables
            if tables.recovery.completed.is_set() and not tables["quiet-timers"].data:
                return
            await asyncio.sleep(TICK_S)


async def expected(log: Log) -> tuple[dict[bytes, bytes], list[Alert]]:
    """What the decision makes of the windows and ticks as they lie in the log."""
    rows: dict[bytes, bytes] = {}
    alerts: list[Alert] = []
    for partition in await log.partitions(WINDOWS.name):
        run = InMemory((QUIET,), INPUTS, ManualClock(2**41))
        run.topics[WINDOWS.name] = await of_topic(log, WINDOWS.name, partition.number)
        run.run()
        rows |= run.tables["quiet"]
        alerts += alerts_in(run.topics[ALERTS.name])
    return rows, alerts


async def quiet_alerts(log: Log) -> list[Alert]:
    found = [await of_topic(log, ALERTS.name, n) for n in range(3)]
    return alerts_in([record for records in found for record in records])


def alerts_in(records: Sequence[Record], of: str = "quiet") -> list[Alert]:
    decode = Selection[Alert](Alert).decode
    found = [decode(record.value or b"") for record in records]
    return [alert for alert in found if alert is not None and alert.type == of]


async def ticks_in(log: Log, topic: str) -> dict[int, list[Tick]]:
    """The ticks of each partition that has some."""
    decode = Selection[Tick](Tick).decode
    found: defaultdict[int, list[Tick]] = defaultdict(list)
    for partition in await log.partitions(topic):
        for record in await of_topic(log, topic, partition.number):
            if b"tick" in (record.value or b"") and (tick := decode(record.value or b"")):
                found[partition.number].append(tick)
    return found


async def of_topic(log: Log, topic: str, number: int) -> list[Record]:
    found: list[Record] = []
    for partition, bounds in (await log.bounds(topic)).items():
        offset = bounds.first
        while partition.number == number and offset < bounds.next:
            batch = await log.read(partition, offset, 1000)
            found += batch
            offset = batch[-1].offset + 1
    return found


def work_until_killed(folder: Path, messages: int, delay_ms: float) -> None:
    asyncio.run(_work(folder, messages, delay_ms))


async def _work(folder: Path, messages: int, delay_ms: float) -> None:
    async with working(folder, more=[QUIET], tick_s=TICK_S) as work:
        kill_after(work, messages, delay_ms)
        await asyncio.Event().wait()
