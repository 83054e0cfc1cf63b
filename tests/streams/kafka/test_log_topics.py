"""How topics are made, and kept up to date."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka.log import KafkaLog
from streams.kafka.settings import client_options, settings_of
from streams.log import Draft, LogError
from streams.topics import Topic
from streams.units import DAY_MS
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.patience import PATIENCE_S


@pytest.fixture
async def log(kafka: Cluster | Running) -> AsyncIterator[KafkaLog]:
    log = await KafkaLog.open(settings_of(kafka.url))
    yield log
    await log.close()


@pytest.fixture
async def admin(kafka: Cluster | Running) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(settings_of(kafka.url)))
    await admin.start()
    yield admin
    await admin.close()


async def settings_of_topic(admin: AIOKafkaAdminClient, topic: str) -> Mapping[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    [answer] = await admin.describe_configs([resource])
    return {name: value for name, value, *_ in answer.resources[0][4]}


async def test_what_is_asked_of_a_topic_is_set(log: KafkaLog, admin: AIOKafkaAdminClient) -> None:
    name = unique("kept")
    await log.create(Topic(name, retention_ms=DAY_MS, retention_bytes=64 << 20), 3)
    kept = await settings_of_topic(admin, name)
    assert kept["cleanup.policy"] == "delete"
    assert kept["retention.ms"] == str(DAY_MS)
    assert kept["retention.bytes"] == str(64 << 20)
    assert kept["segment.bytes"] == str(8 << 20)
    assert len(await log.partitions(name)) == 3


async def test_a_compacted_topic_is_kept_for_good(
    log: KafkaLog, admin: AIOKafkaAdminClient
) -> None:
    name = unique("compacted")
    await log.create(Topic(name, retention_ms=None, compacted=True), 1)
    kept = await settings_of_topic(admin, name)
    assert (kept["cleanup.policy"], kept["retention.ms"]) == ("compact", "-1")


async def test_an_existing_topic_is_kept_as_asked_now_and_keeps_what_operators_set(
    log: KafkaLog, admin: AIOKafkaAdminClient
) -> None:
    name = unique("changed")
    await log.create(Topic(name, retention_ms=DAY_MS), 1)
    own = {**await own_settings(admin, name), "min.compaction.lag.ms": "7"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, own)])
    await log.create(Topic(name, retention_ms=2 * DAY_MS), 5)
    kept = await settings_of_topic(admin, name)
    assert kept["retention.ms"] == str(2 * DAY_MS)
    assert kept["min.compaction.lag.ms"] == "7"
    assert len(await log.partitions(name)) == 1


async def own_settings(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    [answer] = await admin.describe_configs([resource])
    return {name: value for name, value, _, source, *_ in answer.resources[0][4] if source == 1}


async def test_copies_follow_from_the_cluster(kafka_cluster: Cluster) -> None:
    settings = settings_of(kafka_cluster.url)
    log = await KafkaLog.open(settings)
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        three, one = unique("three"), unique("one")
        await log.create(Topic(three), 1)
        assert await in_sync(kafka_cluster, three, 3) == {0, 1, 2}
        assert (await settings_of_topic(admin, three))["min.insync.replicas"] == "2"
        single = await KafkaLog.open(settings_of(f"{kafka_cluster.url}?replication=1"))
        await single.create(Topic(one), 1)
        await single.close()
        assert len(await in_sync(kafka_cluster, one, 1)) == 1
    finally:
        await admin.close()
        await log.close()


async def in_sync(cluster: Cluster, topic: str, at_least: int) -> set[int]:
    """Once so many are: brokers hear of a topic one after the other, and copies begin empty."""
    async with asyncio.timeout(PATIENCE_S):
        while len(found := cluster.in_sync(topic, 0)) < at_least:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def test_more_copies_than_brokers_is_one_clear_line(kafka: Cluster | Running) -> None:
    log = await KafkaLog.open(settings_of(f"{kafka.url}?replication=9"))
    with pytest.raises(LogError, match=r"(?i)replication factor") as raised:
        await log.create(Topic(unique("many")), 1)
    assert "\n" not in str(raised.value)
    await log.close()


async def test_a_message_that_no_broker_takes_is_refused_before_it_is_sent(log: KafkaLog) -> None:
    name = unique("large")
    await log.create(Topic(name), 1)
    with pytest.raises(LogError, match="1000000 allowed"):
        await log.append([Draft(name, b"1", bytes(1_000_000), 0)])
    assert await log.append([Draft(name, b"1", bytes(999_000), 0)])
