"""Faust's producer over the embedded log: what it sends lands in the app's outbox."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, cast

from faust.transport import base
from faust.transport.producer import ProducerBuffer
from faust.types.core import HeadersArg
from faust.types.tuples import TP, FutureMessage, RecordMetadata
from mode import Seconds, want_seconds

from streams.embedded.engine import Entry
from streams.embedded.outbox import Promise
from streams.log import LogError, Partition
from streams.partitioner import partition_of

if TYPE_CHECKING:
    from streams.faust.embedded.transport import Transport


class Producer(base.Producer):
    """Nothing here waits for the disk, but `send_and_wait` and `flush`."""

    transport: "Transport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffer = _Ebb(self, loop=self.loop, beacon=self.beacon)
        self.buffer.app = self.app
        self._round_robin = 0

    async def on_start(self) -> None:
        self.transport.enter()
        await super().on_start()

    async def on_stop(self) -> None:
        await super().on_stop()
        await self.transport.leave()

    def send_soon(self, fut: FutureMessage) -> None:
        message = fut.message
        self._add(
            cast(Any, message.channel).get_topic_name(),
            cast("bytes | None", message.key),
            cast("bytes | None", message.value),
            message.partition,
            message.timestamp,
            message.headers,
            _sent_soon(fut),
        )

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """The awaitable's result comes when the record is durable: in atomic mode, committed."""
        done: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        self._add(topic, key, value, partition, timestamp, headers, _settling(done))
        return done

    async def send_and_wait(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg,
        *,
        transactional_id: str | None = None,
    ) -> RecordMetadata:
        return await (await self.send(topic, key, value, partition, timestamp, headers))

    async def flush(self) -> None:
        """In atomic mode only a commit writes, so there is nothing to flush."""
        if not self.transport.outbox.atomic and (done := self.transport.outbox.flush()):
            await asyncio.shield(done)

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

    def key_partition(self, topic: str, key: bytes | None) -> TP:
        return TP(topic, self._partition(topic, key))

    def supports_headers(self) -> bool:
        return True

    def _partition(self, topic: str, key: bytes | None) -> int:
        partitions = len(self.transport.topic(topic).partitions)
        if key is not None:
            return partition_of(key, partitions)
        self._round_robin += 1
        return self._round_robin % partitions

    def _add(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg,
        promise: Promise,
    ) -> None:
        states = self.transport.topic(topic).partitions
        state = states[self._partition(topic, key) if partition is None else partition]
        timestamp_ms = int((time.time() if timestamp is None else timestamp) * 1000)
        entry = Entry(state, timestamp_ms, key, value, dict(headers) if headers else {})
        self.transport.outbox.add(entry, promise)


class _Ebb(ProducerBuffer):
    """Faust asks its buffer whether to go on delivering: this one asks the log's room."""

    def __init__(self, producer: Producer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._producer = producer

    async def wait_until_ebb(self) -> None:
        await self._producer.transport.engine.room.ebb()


def _metadata(place: tuple[Partition, int]) -> RecordMetadata:
    (topic, number), offset = place
    return RecordMetadata(topic, number, TP(topic, number), offset)


def _settling(done: "asyncio.Future[RecordMetadata]") -> Promise:
    def settle(outcome: tuple[Partition, int] | LogError) -> None:
        if done.done():
            return
        if isinstance(outcome, LogError):
            done.set_exception(outcome)
            done.exception()
        else:
            done.set_result(_metadata(outcome))

    return settle


def _sent_soon(fut: FutureMessage) -> Promise:
    settle_future = _settling(fut)

    def settle(outcome: tuple[Partition, int] | LogError) -> None:
        settle_future(outcome)
        if fut.message.callback is not None and not isinstance(outcome, LogError):
            fut.message.callback(fut)

    return settle
