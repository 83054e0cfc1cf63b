"""Faust's producer over Kafka: ordinary agents send within their task's next transaction."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from faust.types.tuples import FutureMessage
from mode import Seconds, want_seconds

from streams.context import Task
from streams.faust.producer import Producer as DriverProducer
from streams.faust.producer import Promise
from streams.kafka.transaction import Outgoing
from streams.log import LogUnavailable, Partition, Record
from streams.topics import Topic

if TYPE_CHECKING:
    from streams.faust.kafka.transport import Transport


class Producer(DriverProducer):
    transport: "Transport"

    async def on_start(self) -> None:
        self.transport.enter()
        await super().on_start()

    async def on_stop(self) -> None:
        await super().on_stop()
        await self.transport.leave()

    def send_soon(self, fut: FutureMessage) -> None:
        """Skips changelogs: a row enters its changelog with the change of its table (store.py)."""
        channel: Any = fut.message.channel
        if channel.get_topic_name() not in self.app.tables.changelog_topics:
            super().send_soon(fut)

    async def create_topic(
        self,
        topic: str,
        partitions: int,
        replication: int,
        *,
        config: Mapping[str, Any] | None = None,
        timeout: Seconds = 1000.0,
        retention: Seconds | None = None,
        compacting: bool | None = None,
        deleting: bool | None = None,
        ensure_created: bool = False,
    ) -> None:
        """Existing topics stay unchanged. Changelogs are made after the first assignment, which
        determines the number of tasks. Raises LogError.
        """
        declared = self.transport.declared
        if declared is None or topic in self.app.tables.changelog_topics:
            return
        made = Topic(topic, compacted=bool(compacting))
        if retention is not None:
            made = msgspec.structs.replace(made, retention_ms=int(want_seconds(retention) * 1000))
        await declared.make([made], partitions)

    async def _learn(self, topic: str) -> None:
        if self.transport.declared is not None:
            await self.transport.declared.learn(topic)

    def _partitions(self, topic: str) -> int:
        declared = self.transport.declared
        known = None if declared is None else declared.partitions(topic)
        return known or self.transport.tasks_in_all

    def _commit(self, task: Task | None, at: Partition, record: Record, promise: Promise) -> None:
        """In the transaction of its message's task; without a message, of any task here."""
        owned = self.transport.tasks.owned
        found = next(iter(owned.values()), None) if task is None else owned.get(task)
        if found is None:
            promise(LogUnavailable("the task is not this worker's: send again once it has one"))
            return
        made = Outgoing(record.key, record.value, record.timestamp_ms, record.headers, promise)
        found.send(at, made)
        self.transport.filled()
