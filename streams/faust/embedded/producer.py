"""Faust's producer over the embedded log: sends into the app's outbox."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from faust.transport.producer import ProducerBuffer
from mode import Seconds, want_seconds

from streams.context import Task
from streams.embedded.engine import Entry
from streams.faust.producer import Producer as DriverProducer
from streams.faust.producer import Promise
from streams.log import Partition, Record

if TYPE_CHECKING:
    from streams.faust.embedded.transport import Transport


class Producer(DriverProducer):
    transport: "Transport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffer = _Ebb(self, loop=self.loop, beacon=self.beacon)
        self.buffer.app = self.app

    async def on_start(self) -> None:
        self.transport.enter()
        await super().on_start()

    async def on_stop(self) -> None:
        await super().on_stop()
        await self.transport.leave()

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
        retention_s = want_seconds(retention) if retention is not None else None
        self.transport.create(
            topic, partitions, compacted=bool(compacting), retention_s=retention_s
        )

    def _partitions(self, topic: str) -> int:
        return len(self.transport.topic(topic).partitions)

    def _commit(self, _task: Task | None, at: Partition, record: Record, promise: Promise) -> None:
        state = self.transport.topic(at.topic).partitions[at.number]
        entry = Entry(state, record.timestamp_ms, record.key, record.value, record.headers)
        self.transport.outbox.add(entry, promise)


class _Ebb(ProducerBuffer):
    """Replaces Faust's buffer: delivery pauses while the log's buffers are full."""

    def __init__(self, producer: Producer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._producer = producer

    async def wait_until_ebb(self) -> None:
        await self._producer.transport.engine.room.ebb()
