"""Reads changelogs into the state: to their end for new tasks, continuously for standbys.

A changelog that does not match the rows on this disk has lost records, or belongs to another
cluster. Which of the two is right?

- It ends before the rows, and the group's offsets are those that this worker committed last: no
  owner has continued since, so the rows are right. They are kept, and written to the changelog
  again with the task's first commit.
- It ends before the rows, and the group's offsets differ: the rows would not match the next
  messages (new messages would look repeated). The changelog is read from its beginning.
- It begins after the position of the rows: its rest is newer than the rows, and the lost records
  are gone. It is applied to the rows.

Each case is logged with counts.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka

from streams.context import Task
from streams.kafka.closing import end
from streams.kafka.state import State
from streams.log import LogError, LogUnavailable
from streams.metrics import Metrics
from streams.retry import Retry, Transient

logger = logging.getLogger(__name__)

_FETCH_RECORDS = 5_000
_WAIT_MS = 200
_TRANSIENT: Transient = {kafka.KafkaError: "log", LogError: "log"}


class Restored(NamedTuple):
    #: The number of records read.
    records: int
    #: Tables whose changelogs have lost rows that the state has.
    ahead: list[tuple[Task, str]]


class Changelogs:
    """`topics`: the changelog of each table, by the table's name."""

    def __init__(
        self,
        client: Mapping[str, Any],
        topics: Mapping[str, str],
        state: State,
        group: str,
        metrics: Metrics,
    ) -> None:
        """`group` is the tasks' group, whose offsets are their positions."""
        self._client = client
        self._group = group
        self._metrics = metrics
        self._topics = topics
        self._tables = {topic: table for table, topic in topics.items()}
        self._state = state

    async def restore(self, tasks: Iterable[Task]) -> Restored:
        """Waits until the state has all committed rows. Raises LogError.

        Only for tasks whose previous owners are fenced.
        """
        wanted = [TopicPartition(topic, n) for n in tasks for topic in self._topics.values()]
        if not wanted:
            return Restored(0, [])
        consumer = self._consumer()
        try:
            await consumer.start()
            ends, ahead = await self._begin(consumer, wanted, owned=True)
            return Restored(await self._read_to(consumer, ends, ahead), ahead)
        except kafka.KafkaError as error:
            raise LogUnavailable(f"Kafka, reading changelogs: {error}") from error
        finally:
            await end(consumer)

    async def follow(self, tasks: Collection[Task]) -> None:
        """Follow the changelogs of standby tasks until cancelled."""
        wanted = [TopicPartition(topic, n) for n in tasks for topic in self._topics.values()]
        retry = Retry(_TRANSIENT, logger)
        await retry.call(lambda: self._keep_up(wanted, retry.succeeded))

    async def _keep_up(self, wanted: list[TopicPartition], took: Callable[[], None]) -> None:
        consumer = self._consumer()
        try:
            await consumer.start()
            await self._begin(consumer, wanted, owned=False)
            while True:
                await self._take(consumer, wanted)
                took()
        finally:
            await end(consumer)

    async def _begin(
        self, consumer: AIOKafkaConsumer, wanted: list[TopicPartition], *, owned: bool
    ) -> tuple[dict[TopicPartition, int], list[tuple[Task, str]]]:
        """Seek each changelog to the state's position; returns the ends, and those that lost rows.

        `owned`: previous owners of the tasks are fenced.
        """
        consumer.assign(wanted)
        first: dict[TopicPartition, int] = await consumer.beginning_offsets(wanted)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(wanted)
        positions = {
            at: self._state.position(at.partition, self._tables[at.topic]) for at in wanted
        }
        shorter = {at.partition for at, reached in positions.items() if (reached or 0) > ends[at]}
        exact = await self._exact(shorter) if owned else set()
        ahead = []
        for at, position in positions.items():
            table = self._tables[at.topic]
            if position is None:
                self._state.wipe(at.partition, table)
                position = first[at]
            elif (
                position > ends[at]
                and at.partition in exact
                and self._state.count(at.partition, table)
            ):
                logger.error(
                    "changelog_shorter_rows_kept", extra=self._lost(at, table, position - ends[at])
                )
                ahead.append((at.partition, table))
                position = ends[at]
            elif position > ends[at]:
                logger.error(
                    "changelog_shorter_read_anew", extra=self._lost(at, table, position - ends[at])
                )
                self._state.wipe(at.partition, table)
                position = first[at]
            elif position < first[at]:
                logger.error(
                    "changelog_begins_later", extra=self._lost(at, table, first[at] - position)
                )
                position = first[at]
            consumer.seek(at, position)
        return ends, ahead

    async def _exact(self, tasks: Collection[Task]) -> set[Task]:
        """The tasks whose state is the last commit: it was written with these input offsets."""
        written = {task: read for task in tasks if (read := self._state.inputs(task))}
        if not written:
            return set()
        consumer = AIOKafkaConsumer(**self._client, group_id=self._group, enable_auto_commit=False)
        try:
            consumer.assign([TopicPartition(*at) for read in written.values() for at in read])
            await consumer.start()
            return {
                task
                for task, read in written.items()
                if all(
                    [
                        await consumer.committed(TopicPartition(*at)) == offset
                        for at, offset in read.items()
                    ]
                )
            }
        finally:
            await end(consumer)

    def _lost(self, at: TopicPartition, table: str, records: int) -> dict[str, object]:
        """The log fields of a changelog that lost records; counts them."""
        rows = self._state.count(at.partition, table)
        self._metrics.error("log", "changelog_lost_records")
        return {"task": at.partition, "table": table, "records_lost": records, "rows_here": rows}

    async def _read_to(
        self,
        consumer: AIOKafkaConsumer,
        ends: Mapping[TopicPartition, int],
        ahead: Collection[tuple[Task, str]],
    ) -> int:
        """The number of records read. Positions in `ahead` stay until their rows are in the
        changelog again: after an interruption the next start finds the same."""
        behind, count = set(ends), 0
        while behind:
            for at in list(behind):
                position, table = await consumer.position(at), self._tables[at.topic]
                if position >= ends[at]:
                    if (at.partition, table) not in ahead:
                        self._state.apply(at.partition, table, (), position)
                    behind.discard(at)
            if behind:
                count += await self._take(consumer, list(behind))
        return count

    async def _take(self, consumer: AIOKafkaConsumer, wanted: list[TopicPartition]) -> int:
        """Applies the next records to the state; returns after a moment without any."""
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
