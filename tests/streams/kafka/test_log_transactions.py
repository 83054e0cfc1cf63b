"""What readers see of transactions: all of it when it is committed, and else nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka.log import KafkaLog
from streams.kafka.settings import client_options, settings_of
from streams.log import Bounds, Draft, Partition, Record
from streams.topics import Topic
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.laws.log import numbers, take, until


@pytest.fixture
async def log(kafka: Cluster | Running) -> AsyncIterator[KafkaLog]:
    log = await KafkaLog.open(settings_of(kafka.url))
    yield log
    await log.close()


@pytest.fixture
async def at(log: KafkaLog) -> Partition:
    """The only partition of a new topic."""
    topic = unique("transactions")
    await log.create(Topic(topic), 1)
    return Partition(topic, 0)


@pytest.fixture
async def producer(kafka: Cluster | Running) -> AsyncIterator[AIOKafkaProducer]:
    options = client_options(settings_of(kafka.url))
    producer = AIOKafkaProducer(**options, transactional_id=unique("writer"))
    await producer.start()
    yield producer
    await producer.stop()


async def write(producer: AIOKafkaProducer, at: Partition, *values: int) -> None:
    for value in values:
        await producer.send_and_wait(at.topic, b"%d" % value, b"key", at.number)


async def bounds(log: KafkaLog, at: Partition) -> Bounds:
    return (await log.bounds(at.topic))[at]


async def read(log: KafkaLog, at: Partition, offset: int, count: int) -> Sequence[Record]:
    """All from `offset` on, once it is so many: markers come a moment after the commit."""
    found: Sequence[Record] = []

    async def there() -> bool:
        nonlocal found
        found = await log.read(at, offset, 100)
        return len(found) >= count

    await until(there)
    return found


async def test_a_committed_transaction_is_read_and_its_marker_is_not(
    log: KafkaLog, at: Partition, producer: AIOKafkaProducer
) -> None:
    async with producer.transaction():
        await write(producer, at, 1, 2)
    async with producer.transaction():
        await write(producer, at, 3)
    # Offsets 2 and 4 are markers.
    records = await read(log, at, 0, 3)
    assert [record.offset for record in records] == [0, 1, 3]
    assert numbers(records) == [1, 2, 3]


async def test_who_has_read_everything_stands_at_the_end(
    log: KafkaLog, at: Partition, producer: AIOKafkaProducer
) -> None:
    batches = log.subscribe([at.topic])
    async with producer.transaction():
        await write(producer, at, 1, 2)
    assert numbers(await take(batches, 2)) == [1, 2]
    assert await bounds(log, at) == (0, 2)
    assert list(await log.read(at, 2, 10)) == []
    await log.append([Draft(at.topic, b"key", b"3", 0)])
    assert await bounds(log, at) == (0, 4)
    assert numbers(await take(batches, 1)) == [3]
    assert numbers(await log.read(at, 2, 10)) == [3]


async def test_nothing_is_seen_of_an_aborted_transaction(
    log: KafkaLog, at: Partition, producer: AIOKafkaProducer
) -> None:
    batches = log.subscribe([at.topic])
    await producer.begin_transaction()
    await write(producer, at, 1, 2)
    await producer.abort_transaction()
    assert await bounds(log, at) == (0, 0)
    assert list(await log.read(at, 0, 10)) == []
    async with producer.transaction():
        await write(producer, at, 3)
    assert numbers(await take(batches, 1)) == [3]
    assert numbers(await log.read(at, 0, 10)) == [3]
    assert await bounds(log, at) == (0, 4)


async def test_behind_much_that_was_aborted_the_end_is_found(
    log: KafkaLog, at: Partition, producer: AIOKafkaProducer
) -> None:
    await log.append([Draft(at.topic, b"key", b"0", 0)])
    await producer.begin_transaction()
    for value in range(1, 201):
        # One after the other: each is a batch of its own.
        await write(producer, at, value)
    await producer.abort_transaction()
    assert await bounds(log, at) == (0, 1)
    assert list(await log.read(at, 1, 10)) == []
    await log.append([Draft(at.topic, b"key", b"201", 0)])
    assert numbers(await read(log, at, 1, 1)) == [201]


async def test_an_open_transaction_is_the_end_for_now(
    log: KafkaLog, at: Partition, producer: AIOKafkaProducer
) -> None:
    await log.append([Draft(at.topic, b"key", b"1", 0)])
    await producer.begin_transaction()
    await write(producer, at, 2)
    await log.append([Draft(at.topic, b"key", b"3", 0)])
    assert await bounds(log, at) == (0, 1)
    assert numbers(await log.read(at, 0, 10)) == [1]
    batches = log.subscribe([at.topic], {at: 0})
    assert numbers(await take(batches, 1)) == [1]
    coming = asyncio.create_task(take(batches, 2))
    await producer.commit_transaction()
    assert numbers(await coming) == [2, 3]
    assert await bounds(log, at) == (0, 3)


async def test_a_subscription_that_starts_on_a_marker_reads_on(
    log: KafkaLog, at: Partition, producer: AIOKafkaProducer
) -> None:
    async with producer.transaction():
        await write(producer, at, 1)
    batches = log.subscribe([at.topic], {at: 1})
    async with producer.transaction():
        await write(producer, at, 2)
    assert numbers(await take(batches, 1)) == [2]
