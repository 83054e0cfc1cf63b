"""Puts a world into a topic of the broker, before any clock runs."""

import asyncio
from collections.abc import Iterable

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.peers.job import PARTITIONS
from bench.peers.world import World

BATCH_BYTES = 512 << 10

Message = tuple[bytes, bytes, int]


class Filled(msgspec.Struct, frozen=True):
    """A topic that an engine can be given."""

    topic: str
    framed: bool
    channels: int
    events: int
    #: Messages of each partition.
    messages: list[int]


async def fill(servers: str, channels: int, events: int, *, framed: bool) -> Filled:
    """Creates the topic and writes all of it; each partition's last event closes its windows."""
    topic = f"peers.{'frames' if framed else 'events'}.{channels}.{events}"
    await _create(servers, topic)
    world = World(channels, events)
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, max_batch_size=BATCH_BYTES, acks="all", linger_ms=0
    )
    await producer.start()
    messages = []
    for partition in range(PARTITIONS):
        made = world.frames(partition) if framed else world.events(partition)
        messages.append(await _write(producer, topic, partition, made))
    await producer.stop()
    return Filled(topic, framed, channels, events + PARTITIONS, messages)


async def _create(servers: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    # Its events are old: with a retention the broker would delete them at once.
    new = NewTopic(topic, PARTITIONS, 1, topic_configs={"retention.ms": "-1"})
    await admin.create_topics([new])
    await _led(admin, topic)
    await admin.close()


async def _led(admin: AIOKafkaAdminClient, topic: str) -> None:
    """Until every partition has a leader."""
    while True:
        (described,) = await admin.describe_topics([topic])
        leaders = [each["leader"] for each in described["partitions"]]
        if len(leaders) == PARTITIONS and min(leaders) >= 0:
            return
        await asyncio.sleep(0.02)


async def _write(
    producer: AIOKafkaProducer, topic: str, partition: int, messages: Iterable[Message]
) -> int:
    """How many there were."""
    count, sent = 0, []
    batch = producer.create_batch()
    for key, value, at_ms in messages:
        if batch.append(key=key, value=value, timestamp=at_ms) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=at_ms)
        count += 1
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    for each in sent:
        await each
    return count
