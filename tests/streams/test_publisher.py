"""Events into the log: batches, acknowledgements, a log that is away, a log that refuses."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from streams.codec import decode_event
from streams.embedded.log import EmbeddedLog
from streams.events import SubscribersSampled
from streams.log import Draft, LogClosed, LogFull, LogUnavailable, Partition
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.publisher import Publisher
from streams.topics import UPDATES


def event(n: int, channel_id: int = 7) -> SubscribersSampled:
    return SubscribersSampled(channel_id=channel_id, observed_at_ms=n, subscribers=n)


class TroubledLog(EmbeddedLog):
    """A log whose appends can be held up or fail; each size is kept."""

    def trouble(self) -> None:
        self.sizes: list[int] = []
        self.failures: list[Exception] = []
        self.open_gate = asyncio.Event()
        self.open_gate.set()

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        await self.open_gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.sizes.append(len(drafts))
        return await super().append(drafts)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[TroubledLog]:
    log = await TroubledLog.open(tmp_path / "log")
    assert isinstance(log, TroubledLog)
    log.trouble()
    await log.create(UPDATES, 1)
    yield log
    await log.close()


async def taken_in(publisher: Publisher, messages: int) -> None:
    for _ in range(10_000):
        if publisher.waiting >= messages:
            return
        await asyncio.sleep(0)
    raise AssertionError("waited in vain")


async def stored(log: EmbeddedLog) -> list[int]:
    records = await log.read(Partition(UPDATES.name, 0), 0, 10_000)
    return [decode_event(record.value or b"").observed_at_ms for record in records]


async def test_acknowledged_in_order_and_keyed_by_channel(log: TroubledLog) -> None:
    metrics = Metrics()
    async with Publisher(log, metrics) as publisher:
        await publisher.publish(event(1), event(2))
        assert await stored(log) == [1, 2]
    [first, _] = await log.read(Partition(UPDATES.name, 0), 0, 10)
    assert (first.key, first.timestamp_ms) == (b"7", 1)
    sent = {"stage": "collector"}
    assert metrics.registry.get_sample_value("analyticbot_sent_total", sent) == 2


async def test_what_waits_shares_an_append(log: TroubledLog) -> None:
    async with Publisher(log, Metrics()) as publisher:
        log.open_gate.clear()
        tasks = [asyncio.create_task(publisher.publish(event(n))) for n in range(1001)]
        await taken_in(publisher, 1001)
        log.open_gate.set()
        await asyncio.gather(*tasks)
    assert log.sizes[0] >= 1
    assert len(log.sizes) <= 4
    assert await stored(log) == list(range(1001))


async def test_it_is_bounded(log: TroubledLog) -> None:
    metrics = Metrics()

    def told() -> float | None:
        labels = {"stage": "collector"}
        return metrics.registry.get_sample_value("analyticbot_queued_messages", labels)

    async with Publisher(log, metrics, most_waiting=10) as publisher:
        log.open_gate.clear()
        tasks = [asyncio.create_task(publisher.publish(event(n))) for n in range(30)]
        for _ in range(100):
            await asyncio.sleep(0)
        assert publisher.waiting == told() == 10
        log.open_gate.set()
        await asyncio.gather(*tasks)
        assert publisher.waiting == told() == 0
        await publisher.publish(*(event(n) for n in range(30, 60)))  # more than fits at once
    assert await stored(log) == list(range(60))


async def test_a_log_that_is_away_is_waited_for_and_told_once(
    log: TroubledLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.failures = [LogUnavailable("no broker") for _ in range(3)]
    pauses = Pauses(0.001, 0.002)
    async with Publisher(log, Metrics(), pauses=pauses) as publisher:
        with caplog.at_level(logging.WARNING):
            await publisher.publish(event(1))
    assert await stored(log) == [1]
    assert [record.getMessage() for record in caplog.records] == ["unavailable", "available"]
    assert vars(caplog.records[0])["reason"] == "no broker"
    assert not pauses.waiting


async def test_a_log_that_refuses_ends_all_publishing(log: TroubledLog) -> None:
    log.failures = [LogFull("no space")]
    log.open_gate.clear()
    async with Publisher(log, Metrics()) as publisher:
        tasks = [asyncio.create_task(publisher.publish(event(n))) for n in range(3)]
        await asyncio.sleep(0)
        log.open_gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [LogFull] * 3
        with pytest.raises(LogFull):
            await publisher.publish(event(4))
    assert await stored(log) == []


async def test_leaving_ends_who_still_waits(log: TroubledLog) -> None:
    log.open_gate.clear()
    async with Publisher(log, Metrics()) as publisher:
        waiting = asyncio.create_task(publisher.publish(event(1)))
        await taken_in(publisher, 1)
    with pytest.raises(LogClosed):
        await waiting
    with pytest.raises(LogClosed):
        await publisher.publish(event(2))


async def test_a_publisher_that_gives_up_holds_nobody_up(log: TroubledLog) -> None:
    async with Publisher(log, Metrics()) as publisher:
        log.open_gate.clear()
        task = asyncio.create_task(publisher.publish(event(1)))
        await taken_in(publisher, 1)
        task.cancel()
        log.open_gate.set()
        await publisher.publish(event(2))
        assert publisher.waiting == 0
    assert await stored(log) == [1, 2]
