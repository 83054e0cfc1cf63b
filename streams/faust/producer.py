"""Faust's producer over our logs, for ordinary agents: sends within their message's commit.

Subclasses put a record into a commit, and know the partitions of topics.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, cast

from faust.transport import base
from faust.types.core import HeadersArg
from faust.types.tuples import TP, FutureMessage, RecordMetadata

from streams.context import Task
from streams.faust.consumer import Consumer
from streams.faust.effects import Effect, Effects, task_at_work
from streams.log import LogError, Partition, Record
from streams.partitioner import partition_of

#: Called with a record's partition and offset (-1 if unknown) once it is durable, or with the
#: reason why it never will be.
Promise = Callable[[tuple[Partition, int] | LogError], None]
_UNKNOWN = -1


class Producer(base.Producer):
    """Only `send_and_wait` waits for the log."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._round_robin = 0

    # -- for subclasses

    def _commit(self, task: Task | None, at: Partition, record: Record, promise: Promise) -> None:
        """Put a record into the next commit of the task whose message caused it."""
        raise NotImplementedError

    def _partitions(self, topic: str) -> int:
        """The number of partitions of a topic."""
        raise NotImplementedError

    async def _learn(self, topic: str) -> None:
        """Called before the first awaited message to a topic; `_partitions` must know it then."""

    # -- Faust's

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
        """Returns an awaitable that is done when the record is committed."""
        await self._learn(topic)
        done = Sent(self.effects)
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
        """Does nothing: commits write."""

    def key_partition(self, topic: str, key: bytes | None) -> TP:
        return TP(topic, self._partition(topic, key))

    def supports_headers(self) -> bool:
        return True

    # -- effects

    @property
    def effects(self) -> Effects:
        return cast(Consumer, self.app.consumer).effects

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
        number = self._partition(topic, key) if partition is None else partition
        timestamp_ms = int((time.time() if timestamp is None else timestamp) * 1000)
        record = Record(_UNKNOWN, timestamp_ms, key, value, dict(headers) if headers else {})
        at, task = Partition(topic, number), task_at_work()
        self.effects.add(
            Effect(
                do=lambda: self._commit(task, at, record, promise),
                # Release the waiter: its message is stale, so its further effects are dropped.
                lose=lambda: promise((at, _UNKNOWN)),
            )
        )

    def _partition(self, topic: str, key: bytes | None) -> int:
        partitions = self._partitions(topic)
        if key is not None:
            return partition_of(key, partitions)
        self._round_robin += 1
        return self._round_robin % partitions


class Sent(asyncio.Future[RecordMetadata]):
    """Done when the record is durable. Awaiting it commits the caller's effects so far."""

    def __init__(self, effects: Effects) -> None:
        super().__init__()
        self._effects = effects

    def __await__(self) -> Generator[Any, None, RecordMetadata]:
        if self.done():
            return super().__await__()
        self._effects.release_current()
        # Cancelling the wait does not take back the record.
        return asyncio.shield(self).__await__()

    __iter__ = __await__


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
