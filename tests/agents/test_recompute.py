"""Samples that arrive after the windows that they belong to are closed: history is the same."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.settings import HistorySettings
from agents.history.writer import HistoryAgent
from clickhouse.chdb import ChdbHistory
from clickhouse.history import HistoryUnavailable, Insert
from streams.embedded.log import EmbeddedLog
from streams.events import CountersSampled, Event, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.metrics import Metrics
from streams.topics import UPDATES, WINDOWS
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.agents.history_told import draft, ends, opened_log, run_in, selected
from tests.agents.pure import Pure
from tests.agents.test_history import running
from tests.clickhouse.minutes import COUNTERS, Channel

NOON_MS = 1_750_248_000_000
LIVE, QUIET = ChannelId(1_500_000_001), ChannelId(1_500_000_002)
QUICK = HistorySettings(batch_s=0.05, first_pause_s=0.01)


def sampled(channel: ChannelId, at_ms: int, **views: int) -> CountersSampled:
    ids = [PostId(int(name[1:])) for name in views]
    return CountersSampled(
        channel_id=channel, observed_at_ms=at_ms, post_ids=ids, views=list(views.values())
    )


def published(channel: ChannelId, number: int, date_ms: int) -> PostsSeen:
    return PostsSeen(
        channel_id=channel, observed_at_ms=date_ms, posts=[Post(PostId(number), date_ms, "post")]
    )


def month(channel: ChannelId, start_ms: int, first: int) -> list[Event]:
    """Three posts an hour apart, sampled again and again for a day."""
    events: list[Event] = []
    for number in range(3):
        date_ms = start_ms + number * HOUR_MS
        post = f"p{first + number}"
        events.append(published(channel, first + number, date_ms))
        for minutes, views in ((30, 50), (60, 100), (120, 150), (1410, 900), (1470, 1000)):
            events.append(sampled(channel, date_ms + minutes * MINUTE_MS, **{post: views}))
    return sorted(events, key=lambda event: event.observed_at_ms)


class Storage:
    """A log, and the history that an agent makes of it."""

    def __init__(self, folder: Path, log: EmbeddedLog, history: ChdbHistory) -> None:
        self._folder = folder
        self.log = log
        self.history = history
        self._pure = Pure()
        self._offset = 0

    async def put(self, events: Sequence[Event]) -> None:
        """What is observed, and what the pipeline makes of it, in the order of the log."""
        drafts = []
        for event in events:
            drafts.append(draft(UPDATES, event))
            drafts += [draft(WINDOWS, output) for output in self._pure.fold(event)]
        await self.log.append(drafts)

    async def drain(self, history: Any = None) -> None:
        agent = HistoryAgent(self.log, history or self.history, Metrics(), QUICK)
        async with running(agent):
            await agent.caught_up(await ends(self.log))

    def run(self, statement: str) -> None:
        """What an operator, or the expiry of rows, does beside the agent."""
        run_in(self._folder, statement)

    def minutes(self, channel: ChannelId) -> dict[int, dict[str, Any]]:
        """What the closed windows of a channel say, as Channel.minutes gives it."""
        rows = selected(
            self._folder,
            "SELECT toUnixTimestamp(start), samples, toUnixTimestamp64Milli(sampled_from),"
            " toUnixTimestamp64Milli(sampled_to), views_gained, forwards_gained, replies_gained,"
            " reactions_gained FROM windows FINAL WHERE channel_id = {channel:Int64} AND closed",
            channel=channel,
        )
        return {
            start * 1000: {
                "samples": samples,
                "from": from_ms,
                "to": to_ms,
                **{n: gain for n, gain in zip(COUNTERS, gains, strict=True) if gain is not None},
            }
            for start, samples, from_ms, to_ms, *gains in rows
            if to_ms is not None
        }

    async def gained(self, channel: ChannelId, size: str, from_ms: int, days: int) -> list[Any]:
        """Views gained by day, from windows or from a roll-up."""
        start_ms = from_ms - from_ms % DAY_MS
        span = {"from_ms": start_ms, "to_ms": start_ms + days * DAY_MS, "step_ms": DAY_MS}
        rows = (await self.history.ask(f"views_{size}", {"channel_id": channel, **span})).rows
        return [(row["step"], row["views"]) for row in rows]


class Failing:
    """A history that becomes unavailable at an insertion into a table, and stays so."""

    def __init__(self, history: ChdbHistory, table: str) -> None:
        self._history = history
        self._table = table
        self.failed = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._history, name)

    async def insert(self, insert: Insert) -> None:
        recomputed = insert.columns.get("recomputed", [True])[0]
        if self.failed.is_set() or (insert.table == self._table and recomputed):
            self.failed.set()
            raise HistoryUnavailable("unplugged")
        await self._history.insert(insert)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    log = await opened_log(tmp_path / "log", partitions=1)
    history = await ChdbHistory.open(tmp_path / "history")
    await history.migrate()
    yield Storage(tmp_path / "history", log, history)
    await history.close()
    await log.close()


NEW_MS, OLD_MS = NOON_MS, NOON_MS - 365 * DAY_MS
NEW, OLD = month(LIVE, NEW_MS, 100), month(LIVE, OLD_MS, 1)


async def check_all(storage: Storage, events: Sequence[Event]) -> None:
    """Minutes, hours and days say what all samples say, whatever their order."""
    minutes = Channel(events).minutes()
    closed = storage.minutes(LIVE)
    assert closed == {start_ms: minutes[start_ms] for start_ms in closed}
    by_minutes = [await storage.gained(LIVE, "minutes", ms, 3) for ms in (OLD_MS, NEW_MS)]
    for size in ("hourly", "daily"):
        assert [await storage.gained(LIVE, size, ms, 3) for ms in (OLD_MS, NEW_MS)] == by_minutes


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)], ids=["old-first", "new-first"])
async def test_the_order_of_imports_does_not_matter(
    storage: Storage, order: Sequence[Sequence[Event]]
) -> None:
    for events in order:
        await storage.put(events)
        await storage.drain()
    await check_all(storage, [*OLD, *NEW])
    assert await storage.gained(LIVE, "daily", OLD_MS, 3) == [(0, 400), (1, 2550)]
    assert await storage.gained(LIVE, "daily", NEW_MS, 3) == [(0, 400), (1, 2550)]


async def test_the_past_of_posts_that_are_watched_already(storage: Storage) -> None:
    """A gain that was a baseline, and a long one that is told apart: both come right."""
    live = [event for event in NEW if event.observed_at_ms > NEW_MS + 3 * HOUR_MS]
    past = [event for event in NEW if event.observed_at_ms <= NEW_MS + 3 * HOUR_MS]
    end = [sampled(LIVE, NEW_MS + 30 * HOUR_MS, p102=1001)]
    await storage.put([*live, *end])
    await storage.drain()
    await storage.put(past)
    await storage.drain()
    await check_all(storage, [*NEW, *end])
    assert await storage.gained(LIVE, "daily", NEW_MS, 3) == [(0, 400), (1, 2551)]


@pytest.mark.parametrize("seed", range(2))
async def test_disorder(storage: Storage, seed: int) -> None:
    """Each message comes up to hours late, and the end closes all windows."""
    chance = random.Random(seed)
    end = [sampled(LIVE, NEW_MS + 40 * HOUR_MS, p100=1000)]

    def arrival(event: Event) -> float:
        return event.observed_at_ms + chance.choice([0, 0, chance.uniform(0, 3 * HOUR_MS)])

    await storage.put([*sorted(NEW, key=arrival), *end])
    await storage.drain()
    await storage.put([sampled(QUIET, NEW_MS, p1=1)])
    await storage.drain()
    await check_all(storage, [*NEW, *end])


async def test_what_waits_for_an_open_window_is_not_forgotten(storage: Storage) -> None:
    """A late sample before one of an open window; then others, that are done at once."""
    post = published(LIVE, 100, NEW_MS)
    first, now = (
        sampled(LIVE, NEW_MS + at * MINUTE_MS, p100=views) for at, views in ((1, 5), (60, 50))
    )
    await storage.put([post, first, now])
    await storage.drain()
    late = sampled(LIVE, NEW_MS + 30 * MINUTE_MS, p100=20)
    await storage.put([late])
    await storage.drain()
    agent = HistoryAgent(storage.log, storage.history, Metrics(), QUICK)
    async with running(agent):
        await storage.put(OLD)
        await agent.caught_up(await ends(storage.log))
        end = sampled(LIVE, NEW_MS + 90 * MINUTE_MS, p100=60)
        await storage.put([end])
        await agent.caught_up(await ends(storage.log))
    await check_all(storage, [post, first, now, late, *OLD, end])
    assert await storage.gained(LIVE, "minutes", NEW_MS, 1) == [(0, 55)]


async def test_what_is_kept_no_longer_is_not_recomputed(storage: Storage) -> None:
    """Windows outlive the samples that they were made of: an import beside them changes none."""
    await storage.put(OLD)
    await storage.drain()
    await storage.put(NEW)
    await storage.drain()
    storage.run(f"DELETE FROM post_samples WHERE observed_at < fromUnixTimestamp64Milli({NEW_MS})")
    other = sampled(LIVE, OLD_MS + 31 * MINUTE_MS, p9=7)
    await storage.put([other, sampled(LIVE, OLD_MS + 32 * MINUTE_MS, p9=9)])
    await storage.drain()
    assert await storage.gained(LIVE, "daily", OLD_MS, 3) == [(0, 402), (1, 2550)]
    assert await storage.gained(LIVE, "minutes", OLD_MS, 3) == [(0, 402), (1, 2550)]


@pytest.mark.parametrize("table", ["windows", "channel_daily", "recomputed"])
async def test_a_crash_in_the_middle_leaves_nothing_undone(storage: Storage, table: str) -> None:
    await storage.put(NEW)
    await storage.drain()
    await storage.put(OLD)
    failing = Failing(storage.history, table)
    async with running(HistoryAgent(storage.log, failing, Metrics(), QUICK)):
        await failing.failed.wait()
    await storage.drain()
    await check_all(storage, [*OLD, *NEW])
    assert await storage.gained(LIVE, "daily", OLD_MS, 3) == [(0, 400), (1, 2550)]
