"""One task's transactions: what it sent, its rows, and how far it has read, together or not at all.

Each task has a transactional id of its own. Whoever starts a producer with it ends what the one
before left open, and shuts that one out for good: so a worker that was only away, and comes back
after its tasks have gone to others, can change nothing any more.

    LogError
    └── TaskLost    another worker has the task by now, or the transaction was given up
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka import errors as kafka

from streams.kafka.failures import is_passing
from streams.kafka.times import stamped
from streams.log import LogError, LogUnavailable, Partition

#: A record batch; brokers take 1 MiB by default, and compress nothing here.
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
    """The task has to be taken over anew, or left.

    Nothing of the transaction has happened, or all of it, if its end was on its way when the
    connection was lost: whoever takes the task over finds that in the log.
    """


#: Called with where a record went (the offset is -1: not known), or with why it never will be.
Promise = Callable[[tuple[Partition, int] | LogError], None]


class Outgoing(NamedTuple):
    """A record on its way."""

    key: bytes | None
    value: bytes | None
    #: Event time; None for what has none, a row.
    timestamp_ms: int | None
    headers: Mapping[str, bytes]
    #: Of who waits until it is committed.
    promise: Promise | None = None


class Transactions:
    """The transactional producer of one task. One transaction at a time."""

    def __init__(self, client: Mapping[str, Any], group: str, task: int, timeout_s: float) -> None:
        """`client`: what every client of the cluster is made with (settings.client_options)."""
        self._group = group
        self._options = {
            **client,
            "transactional_id": f"{group}-{task}",
            "transaction_timeout_ms": round(timeout_s * 1000),
            "max_batch_size": _BATCH_BYTES,
            # While a broker still finishes the last transaction it refuses the next for a moment.
            "retry_backoff_ms": _AGAIN_MS,
        }
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Returns when whoever had the task before has neither a say nor anything open.

        Raises LogUnavailable, and may be called again then; LogError.
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
        """The next offset of each partition written to, where the broker told it.

        Waits while brokers are away. Raises TaskLost, and LogError where waiting cures nothing.
        """
        try:
            return await self._commit(outgoing, offsets)
        except _LOST as error:
            raise TaskLost(f"the broker refused a transaction: {type(error).__name__}") from error
        except kafka.KafkaError as error:
            if is_passing(error):
                # The producer has given up; whoever takes the task over finds out what happened.
                raise TaskLost(f"a transaction was aborted: {error}") from error
            raise LogError(f"Kafka refused a transaction: {error!r}") from error

    async def close(self) -> None:
        """Whatever is under way is given up."""
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
        # Beside the batches: brokers that look up the transaction for a batch while they note the
        # group in it refuse the batch, once. Waiting for the batches first takes longer than that.
        if offsets:
            read = {TopicPartition(*at): offset for at, offset in offsets.items()}
            await producer.send_offsets_to_transaction(read, self._group)
        # The client would commit what it could write without what it could not.
        written = [(partition, count, await done) for partition, count, done in sent]
        await producer.commit_transaction()
        return _ends(written)


def _batches(producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> Iterator[Any]:
    """The records of one partition, in their order, as few batches as they fit into."""
    batch = producer.create_batch()
    for record in records:
        if not _appended(batch, record):
            yield batch
            batch = producer.create_batch()
            _appended(batch, record)
    batch.close()
    yield batch


def _look_at(future: "asyncio.Future[Any]") -> None:
    """So that asyncio does not complain of an error that is known already."""
    if future.done() and not future.cancelled():
        future.exception()


def _left_behind(producer: Any) -> "Iterator[asyncio.Future[Any]]":
    """What a producer that was shut out has failed and lets nobody ask for."""
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
    """A broker that is asked twice does not tell where the first try went: then nothing is said."""
    ends: dict[Partition, int] = {}
    unknown = set()
    for partition, count, metadata in sent:
        if metadata.offset < 0:
            unknown.add(partition)
        ends[partition] = metadata.offset + count
    return {partition: end for partition, end in ends.items() if partition not in unknown}
