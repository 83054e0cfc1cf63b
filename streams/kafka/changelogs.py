"""Reads changelogs into the state: to the end for tasks that start, on and on for standbys."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka

from streams.driver.desk import Task
from streams.kafka.ending import end
from streams.kafka.state import State
from streams.log import LogError, LogUnavailable
from streams.pauses import Pauses

logger = logging.getLogger(__name__)

_FETCH_RECORDS = 5_000
_WAIT_MS = 200


class Changelogs:
    """Where the tables' changelogs are. `topics`: a table's name to its changelog."""

    def __init__(self, client: Mapping[str, Any], topics: Mapping[str, str], state: State) -> None:
        self._client = client
        self._topics = topics
        self._tables = {topic: table for table, topic in topics.items()}
        self._state = state

    async def restore(self, tasks: Iterable[Task]) -> int:
        """Returns when all that is committed is in the state; how many records were read.

        Raises LogError.
        """
        wanted = [TopicPartition(topic, n) for n in tasks for topic in self._topics.values()]
        if not wanted:
            return 0
        consumer = self._consumer()
        try:
            await consumer.start()
            ends = await self._begin(consumer, wanted)
            return await self._read_to(consumer, ends)
        except kafka.KafkaError as error:
            raise LogUnavailable(f"Kafka, reading changelogs: {error}") from error
        finally:
            await end(consumer)

    async def follow(self, tasks: Collection[Task]) -> None:
        """Keep up with the changelogs of other workers' tasks until cancelled."""
        wanted = [TopicPartition(topic, n) for n in tasks for topic in self._topics.values()]
        pauses = Pauses()
        while True:
            consumer = self._consumer()
            try:
                await consumer.start()
                await self._begin(consumer, wanted)
                while True:
                    await self._take(consumer, wanted)
                    pauses.reset()
            except (kafka.KafkaError, LogError) as error:
                if not pauses.waiting:
                    logger.warning("standby_waits", extra={"reason": str(error)})
                await pauses.pause()
            finally:
                await end(consumer)

    async def _begin(
        self, consumer: AIOKafkaConsumer, wanted: list[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Set each to where the state stands; the end of each. What does not fit is read anew."""
        consumer.assign(wanted)
        first: dict[TopicPartition, int] = await consumer.beginning_offsets(wanted)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(wanted)
        for at in wanted:
            table = self._tables[at.topic]
            position = self._state.position(at.partition, table)
            if position is None or not first[at] <= position <= ends[at]:
                self._state.wipe(at.partition, table)
                position = first[at]
            consumer.seek(at, position)
        return ends

    async def _read_to(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> int:
        behind, count = set(ends), 0
        while behind:
            for at in list(behind):
                position = await consumer.position(at)
                if position >= ends[at]:
                    self._state.apply(at.partition, self._tables[at.topic], (), position)
                    behind.discard(at)
            if behind:
                count += await self._take(consumer, list(behind))
        return count

    async def _take(self, consumer: AIOKafkaConsumer, wanted: list[TopicPartition]) -> int:
        """What is there next, into the state; returns after a moment where nothing is."""
        found = await consumer.getmany(*wanted, timeout_ms=_WAIT_MS, max_records=_FETCH_RECORDS)
        for at, records in found.items():
            rows = [(record.key, record.value) for record in records]
            self._state.apply(at.partition, self._tables[at.topic], rows, records[-1].offset + 1)
        await asyncio.sleep(0)
        return sum(map(len, found.values()))

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **self._client,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=_WAIT_MS,
            max_partition_fetch_bytes=4 << 20,
        )
