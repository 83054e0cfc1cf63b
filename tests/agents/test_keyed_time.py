"""Timers of a decision with a key: time is where the last of the upstream partitions has got to."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.engine.cache import RowCache
from agents.engine.upstream import UPSTREAM, Upstream
from agents.pipeline import INPUTS
from streams.broadcasts import Tick
from streams.codec import encode
from streams.events import Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.log import Record
from streams.topics import AGENTS, ALERTS, UPDATES, channel_key, repartition_of
from streams.units import HOUR_MS
from tables.ticks import TickRow
from tests.agents.fading import FADING
from tests.agents.fading_left import check_fading
from tests.agents.in_memory import InMemory
from tests.agents.test_timers_kept import TICK_S, alerts_in, of_topic, ticks_in
from tests.agents.victim import KILLED, kill_after, run_victim
from tests.agents.working import (
    GROUP,
    PARTITIONS,
    PATIENCE_S,
    Working,
    append,
    drafts_of,
    opened,
    recorded_events,
    working,
)
from tests.streams.sources.manual_clock import ManualClock

KILLS = 3
T = 1_760_000_040_000
FORWARDED = repartition_of(AGENTS, FADING.name).name


def posted(text: str, channel: int = 7) -> PostsSeen:
    post = Post(PostId(1), T, text=text)
    return PostsSeen(channel_id=ChannelId(channel), observed_at_ms=T, posts=[post])


def faded(records: list[Record]) -> list[str]:
    return sorted(alert.alert_id for alert in alerts_in(records, "faded"))


def test_a_tick_fires_the_timers_of_all_keys() -> None:
    run = InMemory((FADING,), INPUTS, ManualClock(2**41))
    run.append(UPDATES.name, channel_key(ChannelId(7)), encode(posted("sun moon")), T)
    run.run()
    run.tick(T + HOUR_MS + FADING.lateness_ms - 1)
    run.run()
    assert not faded(run.topics[ALERTS.name])
    run.tick(T + HOUR_MS + FADING.lateness_ms)
    run.run()
    assert faded(run.topics[ALERTS.name]) == ["faded/moon/1", "faded/sun/1"]
    assert not run.tables["fading-timers"]


PLACES = ("telegram.updates/0", "telegram.updates/1", "analytics.windows/0")


@pytest.fixture
def upstream() -> Upstream:
    run = InMemory((FADING,), INPUTS, ManualClock(2**41))
    return Upstream(RowCache(run, "ticks", TickRow, 8), PLACES)


def tick(upstream: Upstream, place: str, at_ms: int) -> int | None:
    record = Record(1, at_ms, None, encode(Tick(at_ms=at_ms)), {UPSTREAM: place.encode()})
    return upstream.moved(0, record, at_ms)


def test_time_is_that_of_the_partition_that_is_furthest_behind(upstream: Upstream) -> None:
    one, two, three = PLACES
    assert tick(upstream, one, 50) is None
    assert tick(upstream, two, 90) is None
    assert tick(upstream, three, 70) == 50
    assert tick(upstream, two, 95) is None
    assert tick(upstream, one, 80) == 70
    # Another owner of a partition may say an earlier time.
    assert tick(upstream, one, 10) is None
    assert tick(upstream, three, 99) == 80


def test_a_partition_that_is_no_longer_upstream_holds_nothing_back(upstream: Upstream) -> None:
    assert tick(upstream, "telegram.updates/9", 1) is None
    assert [tick(upstream, place, 5) for place in PLACES] == [None, None, 5]


async def test_a_timer_fires_once_all_partitions_have_been_ticked(tmp_path: Path) -> None:
    clock = ManualClock(T + 1)
    async with working(tmp_path, clock=clock, more=[FADING], tick_s=TICK_S) as work:
        await append(work.log, drafts_of([posted("sun moon", n) for n in range(1, 9)]))
        await work.settled()
        clock.advance(2 * HOUR_MS)
        await fired(work)
        alerts = [
            each for n in range(PARTITIONS) for each in await of_topic(work.log, ALERTS.name, n)
        ]
        assert faded(alerts) == ["faded/moon/1", "faded/sun/1"]
        assert len(await ticks_in(work.log, UPDATES.name)) == PARTITIONS
        for number in range(PARTITIONS):
            records = await of_topic(work.log, FORWARDED, number)
            heard = Counter(each.headers.get(UPSTREAM) for each in records)
            assert {f"{UPDATES.name}/{n}".encode() for n in range(PARTITIONS)} <= heard.keys()


async def test_kills_leave_what_the_log_says(tmp_path: Path) -> None:
    seen = [event for event in recorded_events() if isinstance(event, PostsSeen)]
    drafts = drafts_of(seen[:150])
    chance = random.Random(3)
    part = len(drafts) // KILLS
    for turn in range(KILLS):
        log = await opened(tmp_path)
        await append(log, drafts[turn * part : (turn + 1) * part])
        await log.close()
        messages, delay_ms = chance.randint(1, part), chance.uniform(0, 60)
        assert run_victim(tmp_path, messages, delay_ms, work_until_killed) == KILLED
    async with working(tmp_path, more=[FADING], tick_s=TICK_S) as work:
        await work.settled()
        await fired(work)
        await check_fading(work.log, GROUP)


def work_until_killed(folder: Path, messages: int, delay_ms: float) -> None:
    asyncio.run(_work(folder, messages, delay_ms))


async def _work(folder: Path, messages: int, delay_ms: float) -> None:
    async with working(folder, more=[FADING], tick_s=TICK_S) as work:
        kill_after(work, messages, delay_ms)
        await asyncio.Event().wait()


async def fired(work: Working) -> None:
    """Returns when no timer waits and all is processed."""
    tables: Any = work.app.tables
    async with asyncio.timeout(PATIENCE_S):
        while tables["fading-timers"].data:  # noqa: ASYNC110 (a table has no event)
            await asyncio.sleep(TICK_S)
    await work.settled()
