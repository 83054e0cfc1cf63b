"""The transactions of one task: its messages, rows and input offsets, all or none.

Each task has a transactional id. A producer that starts with it aborts the open transaction of the
previous one and fences it for good: so a worker that was only paused, and returns after its tasks
were reassigned, can change nothing.

    LogError
    └── TaskLost    another worker owns the task, or the transaction was aborted
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka import errors as kafka

from streams.kafka.failures import is_passing
from streams.kafka.times import stamped
from streams.log import LogError, LogUnavailable, Partition

#: Bytes of a record batch; brokers accept 1 MiB by default. Not compressed.
_BATCH_BYTES = 512 << 10
_CLOSE_S = 2.0
_AGAIN_MS = 20

_LOST = (
    kafka.ProducerFenced,
    kafka.InvalidProducerEpoch,
    kafka.InvalidProducerIdMapping,
    kafka.InvalidTxnState,
    kafka.OutOfOrderSequenceNumber,
    kafka.UnknownProducerId,
    kafka.OperationNotAttempted,
    kafka.ProducerClosed,
    kafka.IllegalOperation,
)


class TaskLost(LogError):
    """The task must be taken over again, or left.

    None of the transaction happened, or all of it, if the connection was lost at its end: the next
    owner finds out from the log.
    """


#: Called with a record's partition and offset (-1: unknown), or with the reason why it is lost.
Promise = Callable[[tuple[Partition, int] | LogError], None]


class Outgoing(NamedTuple):
    """A record to be sent."""

    key: bytes | None
    value: bytes | None
    #: Event time; None for rows, which have none.
    timestamp_ms: int | None
    headers: Mapping[str, bytes]
    #: Called when the record is committed, if anyone waits.
    promise: Promise | None = None


class Transactions:
    """The transactional producer of one task. One transaction at a time."""

    def __init__(self, client: Mapping[str, Any], group: str, task: int, timeout_s: float) -> None:
        """`client`: the arguments of every client of the cluster (settings.client_options)."""
        self._group = group
        self._options = {
            **client,
            "transactional_id": f"{group}-{task}",
            "transaction_timeout_ms": round(timeout_s * 1000),
            "max_batch_size": _BATCH_BYTES,
            # A broker that is finishing the last transaction briefly refuses the next.
            "retry_backoff_ms": _AGAIN_MS,
        }
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Waits until the previous owner is fenced and its open transaction aborted.

        Raises LogUnavailable: call it again then; LogError.
        """
        await self.close()
        self._producer = AIOKafkaProducer(**self._options)
        try:
            await self._producer.start()
        except kafka.KafkaError as error:
            if is_passing(error):
                raise LogUnavailable(f"Kafka: {error}") from error
            raise LogError(f"Kafka: {error!r}") from error

    async def commit(
        self, outgoing: Mapping[Partition, Sequence[Outgoing]], offsets: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        """Commit; returns the next offset of each partition written to, where known.

        Waits while brokers are unavailable. Raises TaskLost; LogError if retrying does not help.
        """
        try:
            return await self._commit(outgoing, offsets)
        except _LOST as error:
            raise TaskLost(f"the broker refused a transaction: {type(error).__name__}") from error
        except kafka.KafkaError as error:
            if is_passing(error):
                # The producer failed; the next owner finds out what happened.
                raise TaskLost(f"a transaction was aborted: {error}") from error
            raise LogError(f"Kafka refused a transaction: {error!r}") from error

    async def close(self) -> None:
        """Abandons the transaction in progress."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        stopping = asyncio.ensure_future(producer.stop())
        await asyncio.wait({stopping}, timeout=_CLOSE_S)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        for left in _left_behind(producer):
            _look_at(left)

    async def _commit(
        self, outgoing: Mapping[Partition, Sequence[Outgoing]], offsets: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        producer = self._producer
        if producer is None:
            raise TaskLost("the task was closed")
        await producer.begin_transaction()
        sent = []
        for (topic, number), records in outgoing.items():
            for batch in _batches(producer, records):
                done = await producer.send_batch(batch, topic, partition=number)
                done.add_done_callback(_look_at)
                sent.append((Partition(topic, number), batch.record_count(), done))
        # Concurrently with the batches: a broker that adds the group to the transaction may refuse
        # a batch once. Waiting for the batches first takes longer than the retry.
        if offsets:
            read = {TopicPartition(*at): offset for at, offset in offsets.items()}
            await producer.send_offsets_to_transaction(read, self._group)
        # The client would commit the batches that succeeded without those that failed.
        written = [(partition, count, await done) for partition, count, done in sent]
        await producer.commit_transaction()
        return _ends(written)


def _batches(producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> Iterator[Any]:
    """The records of one partition in order, in as few batches as possible."""
    batch = producer.create_batch()
    for record in records:
        if not _appended(batch, record):
            yield batch
            batch = producer.create_batch()
            _appended(batch, record)
    batch.close()
    yield batch


def _look_at(future: "asyncio.Future[Any]") -> None:
    """Consume an exception that was handled already, so that asyncio does not report it."""
    if future.done() and not future.cancelled():
        future.exception()


def _left_behind(producer: Any) -> "Iterator[asyncio.Future[Any]]":
    """Consume the futures of a fenced producer that failed and that nobody will await."""
    if (sender := producer._sender.sender_task) is not None:
        yield sender
    if (transaction := producer._txn_manager._transaction_waiter) is not None:
        yield transaction
    for batches in producer._message_accumulator._batches.values():
        for batch in batches:
            yield batch._drain_waiter


def _appended(batch: Any, record: Outgoing) -> bool:
    key, value, timestamp_ms, given, _ = record
    headers = [] if timestamp_ms is None else stamped(given, timestamp_ms)
    return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None


def _ends(sent: Iterable[tuple[Partition, int, Any]]) -> dict[Partition, int]:
    """The offset, unless a retried batch lost it: then brokers do not report it."""
    ends: dict[Partition, int] = {}
    unknown = set()
    for partition, count, metadata in sent:
        if metadata.offset < 0:
            unknown.add(partition)
        ends[partition] = metadata.offset + count
    return {partition: end for partition, end in ends.items() if partition not in unknown}
