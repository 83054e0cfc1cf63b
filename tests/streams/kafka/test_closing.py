"""The end of a consumer in the moment when a fetch has failed and waits to be tried again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from streams.kafka.closing import end
from streams.kafka.settings import client_options, settings_of
from streams.opening import open_log
from streams.topics import Topic
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique

#: Longer than any test: what has failed waits for good.
NEVER_MS = 3_600_000


@pytest.fixture
async def consumer(kafka: Cluster | Running) -> AsyncIterator[AIOKafkaConsumer]:
    """Its connections stand, and its fetch has failed."""
    topic = Topic(unique("topic"))
    log = await open_log(kafka.url)
    await log.create(topic, 1)
    options = {**client_options(settings_of(kafka.url)), "retry_backoff_ms": NEVER_MS}
    consumer = AIOKafkaConsumer(**options)
    await consumer.start()
    failed = asyncio.Event()

    async def send(*_: Any, **__: Any) -> None:
        failed.set()
        raise KafkaConnectionError("cut")

    consumer._client.send = send
    at = TopicPartition(topic.name, 0)
    consumer.assign([at])
    consumer.seek(at, 0)
    await failed.wait()
    yield consumer
    await consumer._client.close()
    await log.close()


def connected(consumer: AIOKafkaConsumer) -> bool:
    return any(connection.connected() for connection in consumer._client._conns.values())


async def test_its_own_stop_does_not_reach_it(consumer: AIOKafkaConsumer) -> None:
    """Why there is another: should this fail after an upgrade, that one may go."""
    with pytest.raises(asyncio.CancelledError):
        await consumer.stop()
    assert connected(consumer)


async def test_it_is_reached(consumer: AIOKafkaConsumer) -> None:
    await end(consumer)
    assert not connected(consumer)


async def test_who_is_cancelled_meanwhile_leaves_it_to_end(consumer: AIOKafkaConsumer) -> None:
    ending = asyncio.create_task(end(consumer))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    while connected(consumer):  # noqa: ASYNC110
        await asyncio.sleep(0)
