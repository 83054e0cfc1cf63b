"""Messages that say they were observed in the future: after the log appended them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.history.batch import HistoryBatch
from streams import topics
from streams.analytics import ChannelSummary
from streams.clock import SystemClock
from streams.codec import encode
from streams.embedded.log import EmbeddedLog
from streams.events import SubscribersSampled
from streams.kafka.log import KafkaLog
from streams.kafka.settings import settings_of
from streams.limits import SKEW_MS
from streams.log import Batch, Draft, Log, Partition, Record
from streams.units import HOUR_MS
from tests.agents.pure import CHANNEL
from tests.agents.working import append, drafts_of, records, upserts, working
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.streams.kafka.prefixed import Prefixed
from tests.streams.sources.manual_clock import ManualClock

T = 1_700_000_040_000
HERE = Partition(topics.UPDATES.name, 0)


def _subscribers(count: int, at_ms: int = T) -> SubscribersSampled:
    return SubscribersSampled(channel_id=CHANNEL, observed_at_ms=at_ms, subscribers=count)


def _drafts(now_ms: int) -> list[Draft]:
    """One observed when it is appended, one an hour later."""
    return drafts_of([_subscribers(6, now_ms), _subscribers(7, now_ms + HOUR_MS)])


def _batch(found: list[Record]) -> HistoryBatch:
    batch = HistoryBatch()
    batch.take(Batch(HERE, found))
    return batch


async def _read(log: Log) -> list[Record]:
    return list(await log.read(HERE, 0, 10))


async def test_an_event_from_the_future_does_not_move_the_watermark(tmp_path: Path) -> None:
    ahead = _subscribers(6, at_ms=T + SKEW_MS)
    future = _subscribers(7, at_ms=T + SKEW_MS + 1)
    async with working(tmp_path, clock=ManualClock(T)) as work:
        await append(work.log, drafts_of([_subscribers(5), future, ahead]))
        await work.settled()
        (dead,) = await records(work.log, topics.UPDATES.dead)
        assert (dead.value, dead.headers["reason"]) == (encode(future), b"future_observation")
        (summary,) = [
            message
            for message in (await upserts(work.log)).values()
            if isinstance(message, ChannelSummary)
        ]
        assert (summary.subscribers, summary.observed_at_ms) == (6, T + SKEW_MS)


async def test_what_waited_in_the_log_is_judged_by_when_it_was_appended(tmp_path: Path) -> None:
    """The agents come to it an hour later, when it would no longer be in the future."""
    log = await EmbeddedLog.open(tmp_path, clock=ManualClock(T))
    await log.create(topics.UPDATES, 3)
    await append(log, _drafts(T))
    await log.close()
    async with working(tmp_path, clock=ManualClock(T + 2 * HOUR_MS)) as work:
        await work.settled()
        assert work.counted("dropped", stage="updates", reason="future_observation") == 1


async def test_without_a_clock_the_machine_s_is_taken(tmp_path: Path) -> None:
    now_ms = SystemClock().now_ms()
    async with working(tmp_path) as work:
        await append(work.log, drafts_of([_subscribers(5, at_ms=now_ms + 3 * SKEW_MS)]))
        await append(work.log, drafts_of([_subscribers(6, at_ms=now_ms)]))
        await work.settled()
        assert work.counted("dropped", stage="updates", reason="future_observation") == 1


async def test_history_reads_one_range_the_same_at_any_time(tmp_path: Path) -> None:
    batches = []
    for opened_ms in (T, T + 2 * HOUR_MS):
        log = await EmbeddedLog.open(tmp_path, clock=ManualClock(opened_ms))
        await log.create(topics.UPDATES, 1)
        if opened_ms == T:
            await append(log, _drafts(T))
        batches.append(_batch(await _read(log)))
        await log.close()
    first, later = batches
    assert (first.messages, first.dropped) == (2, {"future_observation": 1})
    assert (later.dropped, later.inserts()) == (first.dropped, first.inserts())


@pytest.fixture
async def on_kafka(kafka: Cluster | Running) -> AsyncIterator[Log]:
    log = await KafkaLog.open(settings_of(kafka.url))
    yield Prefixed(log, f"{unique('future')}-")
    await log.close()


async def test_on_kafka_it_is_judged_by_the_time_of_the_broker(on_kafka: Log) -> None:
    await on_kafka.create(topics.UPDATES, 1)
    await on_kafka.append(_drafts(SystemClock().now_ms()))
    first, again = _batch(await _read(on_kafka)), _batch(await _read(on_kafka))
    assert (first.messages, first.dropped) == (2, {"future_observation": 1})
    assert again.inserts() == first.inserts()
