"""A partition that nobody leads for longer than a request is waited for: all or nothing, still."""

import asyncio
from pathlib import Path

import pytest

from streams.kafka.log import KafkaLog
from streams.kafka.settings import client_options, settings_of
from streams.kafka.transaction import Outgoing, TaskLost, Transactions
from streams.log import Partition
from streams.topics import Topic
from tests.faults.waiting import until
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import unique
from tests.patience import PATIENCE_S

PARTITIONS = 6


@pytest.mark.chaos
async def test_what_could_not_be_written_is_not_taken_for_read(
    kafka_cluster: Cluster, tmp_path: Path
) -> None:
    settings = settings_of(f"{kafka_cluster.url}?replication=1&request_ms=2000")
    log = await KafkaLog.open(settings)
    group, topic = unique("group"), unique("of-one-copy")
    await log.create(Topic(topic), PARTITIONS)
    leaders = {kafka_cluster.leader(topic, n): Partition(topic, n) for n in range(PARTITIONS)}
    (victim, lost), (_, kept), *_ = leaders.items()
    assert victim is not None
    transactions = Transactions(client_options(settings), group, 0, timeout_s=60)
    await transactions.start()
    await asyncio.to_thread(kafka_cluster.kill, victim)
    try:
        await until(lambda: kafka_cluster.leader(*lost) is None, PATIENCE_S, "nobody to lead")
        records = [Outgoing(b"key", b"value", 1, {})]
        with pytest.raises(TaskLost):
            await transactions.commit({lost: records, kept: records}, {kept: 7})
    finally:
        await asyncio.to_thread(kafka_cluster.start, victim)
    await transactions.start()
    await transactions.commit({kept: records}, {})
    await until(lambda: _has(log, kept, 1), PATIENCE_S, "what was committed")
    assert await log.committed(group) == {}
    await transactions.close()
    await log.close()


async def _has(log: KafkaLog, at: Partition, count: int) -> bool:
    return len(await log.read(at, 0, 100)) == count
