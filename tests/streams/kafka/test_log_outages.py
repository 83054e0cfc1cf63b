"""Brokers that are away: what waits, what is told, and that nothing is lost or doubled."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from streams.kafka.log import KafkaLog
from streams.kafka.settings import settings_of
from streams.log import Batch, Draft, LogClosed, LogUnavailable
from streams.topics import Topic
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import unique
from tests.kafka.ports import free_ports
from tests.laws.log import all_of, numbers, take
from tests.patience import PATIENCE_S


@pytest.fixture
async def log(kafka_cluster: Cluster) -> AsyncIterator[KafkaLog]:
    log = await KafkaLog.open(settings_of(kafka_cluster.url))
    yield log
    await log.close()


async def test_where_no_broker_is_that_is_said() -> None:
    [port] = free_ports(1)
    with pytest.raises(LogUnavailable, match=f"127.0.0.1:{port} cannot be reached") as raised:
        await KafkaLog.open(settings_of(f"kafka://127.0.0.1:{port}"))
    assert "\n" not in str(raised.value)


async def test_one_broker_of_those_named_is_enough(kafka_cluster: Cluster) -> None:
    [port] = free_ports(1)
    log = await KafkaLog.open(settings_of(f"kafka://127.0.0.1:{port},{kafka_cluster.servers}"))
    assert list(await log.partitions("nowhere")) == []
    await log.close()


async def test_a_leader_that_is_killed_costs_no_record(
    log: KafkaLog, kafka_cluster: Cluster
) -> None:
    topic = Topic(unique("killed"))
    await log.create(topic, 3)
    batches = log.subscribe([topic.name])
    read: list[int] = []
    reader = asyncio.create_task(follow(batches, read))
    written = Written()
    writers = [asyncio.create_task(write(log, topic, written)) for _ in range(4)]
    await written.until(200)
    leader = kafka_cluster.leader(topic.name, 0)
    assert leader is not None
    await asyncio.to_thread(kafka_cluster.kill, leader)
    await written.until(600)
    await asyncio.to_thread(kafka_cluster.start, leader)
    await written.until(1_200)
    written.enough = True
    await asyncio.gather(*writers)
    stored = [n for records in (await all_of(log, topic)).values() for n in numbers(records)]
    assert sorted(stored) == list(range(written.count))
    async with asyncio.timeout(PATIENCE_S):
        while len(read) < written.count:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.01)
    assert sorted(read) == list(range(written.count))
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


async def follow(batches: AsyncIterator[Batch], read: list[int]) -> None:
    async for batch in batches:
        read.extend(numbers(batch.records))


class Written:
    """How many messages were given to the log."""

    def __init__(self) -> None:
        self.count = 0
        self.enough = False

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.count < count:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)


async def write(log: KafkaLog, topic: Topic, written: Written) -> None:
    while not written.enough:
        n = written.count
        written.count += 1
        await log.append([Draft(topic.name, b"%d" % n, b"%d" % n, n)])


async def test_what_has_no_leader_for_long_is_appended_once_it_has(
    kafka_cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    log = await KafkaLog.open(settings_of(f"{kafka_cluster.url}?replication=1&request_ms=1000"))
    topic = unique("leaderless")
    await log.create(Topic(topic), 1)
    await log.append([Draft(topic, b"k", b"0", 0)])
    leader = kafka_cluster.leader(topic, 0)
    assert leader is not None
    await asyncio.to_thread(kafka_cluster.kill, leader)
    try:
        waiting = asyncio.create_task(log.append([Draft(topic, b"k", b"1", 0)]))
        async with asyncio.timeout(PATIENCE_S):
            while not any(each.message == "unavailable" for each in caplog.records):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert not waiting.done()
    finally:
        await asyncio.to_thread(kafka_cluster.start, leader)
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    [at] = await log.partitions(topic)
    assert numbers(await log.read(at, 0, 10)) == [0, 1]
    await log.close()


async def test_while_all_are_away_appends_wait_and_readers_are_told() -> None:
    cluster = Cluster()
    try:
        await asyncio.to_thread(cluster.start_all)
        log = await KafkaLog.open(settings_of(cluster.url))
        topic = Topic("away")
        await log.create(topic, 1)
        await log.append([Draft("away", b"k", b"0", 0)])
        batches = log.subscribe(["away"])
        await asyncio.to_thread(cluster.kill, 0)
        waiting = asyncio.create_task(log.append([Draft("away", b"k", b"1", 0)]))
        asked = (log.bounds("away"), anext(batches))
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(error) for error in told] == [LogUnavailable] * 2
        assert not waiting.done()
        await asyncio.to_thread(cluster.start, 0)
        async with asyncio.timeout(PATIENCE_S):
            await waiting
        [at] = await log.partitions("away")
        assert numbers(await log.read(at, 0, 10)) == [0, 1]
        assert numbers(await take(log.subscribe(["away"], {at: 0}), 2)) == [0, 1]
        await log.close()
    finally:
        cluster.close()


async def test_closing_does_not_wait_for_brokers_that_are_away() -> None:
    cluster = Cluster()
    try:
        await asyncio.to_thread(cluster.start_all)
        log = await KafkaLog.open(settings_of(cluster.url))
        await log.create(Topic("gone"), 1)
        await log.append([Draft("gone", b"k", b"0", 0)])
        await asyncio.to_thread(cluster.kill, 0)
        waiting = asyncio.create_task(log.append([Draft("gone", b"k", b"1", 0)]))
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            await log.close()
        with pytest.raises(LogClosed):
            await waiting
    finally:
        cluster.close()
