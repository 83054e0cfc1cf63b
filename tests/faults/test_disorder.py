"""The same frames again, and older ones later: counted by reason, and nothing is counted twice."""

import random
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.engine.reasons import HandledReason
from clickhouse.chdb import ChdbHistory
from streams.analytics import ActivityWindow
from streams.events import Event
from streams.ids import ChannelId
from streams.log import Log
from streams.metrics import Metrics
from tests.agents.history_told import stored
from tests.agents.pure import Pure
from tests.agents.working import (
    append,
    drafts_of,
    expected,
    recorded_events,
    rows,
    upserts,
    working,
)
from tests.faults.disorder import disordered
from tests.faults.harness import stage
from tests.faults.history import Rows, carrying, differences, ends, wanted
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.kafka.cluster import Cluster

#: What history has of what was observed, and not of what was decided of it.
RAW = ("posts", "post_samples", "post_deletions", "subscriber_samples", "post_hourly")


async def in_history(log: Log, folder: Path) -> Rows:
    """As the agent carries it there, batch by batch."""
    history = await ChdbHistory.open(folder)
    await history.migrate()
    async with carrying(log, history, Metrics()) as agent:
        await agent.caught_up(await ends(log))
    await history.close()
    return stored(folder)


def gained(pure: Pure) -> Counter[ChannelId]:
    """Views, by channel, in all windows."""
    found: Counter[ChannelId] = Counter()
    for message in pure.upserts.values():
        if isinstance(message, ActivityWindow):
            found[message.channel_id] += message.views_gained or 0
    return found


def folded(events: list[Event]) -> Pure:
    pure = Pure()
    pure.fold_all(events)
    return pure


async def test_what_comes_twice_and_late_is_counted_once(tmp_path: Path) -> None:
    events = recorded_events()[:400]
    mess = disordered(events, random.Random(1))
    assert len(mess) > len(events)
    async with working(tmp_path / "log") as work:
        await append(work.log, drafts_of(mess))
        await work.settled()
        pure = await expected(work.log)
        assert rows(work.app) == pure.rows()
        assert await upserts(work.log) == pure.upserts
        for reason in get_args(HandledReason):
            counted = work.counted("dropped", stage="updates", reason=reason)
            assert counted == pure.handled[reason], reason
        assert pure.handled["late_message"] > 10
        assert pure.handled["late_sample"] > 10
        found = await in_history(work.log, tmp_path / "history")
        assert differences(found, await wanted(work.log, tmp_path / "wanted")) == []
    async with working(tmp_path / "in-order") as work:
        await append(work.log, drafts_of(events))
        await work.settled()
        in_order = await wanted(work.log, tmp_path / "wanted-in-order")
    raw = {table: in_order[table] for table in RAW}
    assert differences(found, raw) == []


def test_frames_that_come_again_at_once_gain_nothing() -> None:
    events = recorded_events()[:400]
    twice = gained(folded([each for event in events for each in (event, event)]))
    assert twice == gained(folded(events))
    assert twice.total() > 0


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(3))
async def test_on_kafka_with_a_worker_that_dies(broker: Cluster, tmp_path: Path, seed: int) -> None:
    mess = disordered(observations(), random.Random(seed))
    async with stage(broker.url, tmp_path) as on:
        worker = on.worker("one", static=True)
        worker.start()
        await worker.told("tables_restored")
        async with loading(on.log, mess, rate=500) as load:
            for share in (0.3, 0.6):
                await load.reached(share)
                worker.kill()
                worker.start()
        await on.settled()
        await on.check()
        await worker.stop()
