"""Appends: all drafts that wait for a partition go out as one batch, one batch at a time.

While a batch is in flight the next one gathers, so many small appends cost few requests and a
single one does not wait. The producer is idempotent and retries while brokers are unavailable: an
append waits through an outage and is stored once.
"""

import asyncio
import logging
import math
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    UnknownProducerId,
)

from streams.byte_budget import ByteBudget
from streams.kafka.brokers import Brokers
from streams.kafka.failures import log_error
from streams.kafka.settings import KafkaSettings, client_options
from streams.kafka.times import stamped
from streams.log import Draft, LogClosed, LogError, LogUnavailable, Partition
from streams.outage import Outage
from streams.partitioner import partition_of

logger = logging.getLogger(__name__)

#: Bytes of one batch. Brokers accept a MiB by default.
_BATCH_BYTES = 512 << 10
_RECORD_BYTES = 1_000_000
#: Bytes of a record besides its key and value.
_OVERHEAD_BYTES = 96
#: An append that waits for longer is logged.
_QUIET_S = 5.0
#: Unavailable brokers delay closing the log by at most this time.
_CLOSE_S = 5.0


class _Parcel:
    """The drafts of one append."""

    def __init__(self, count: int) -> None:
        self.places: list[tuple[Partition, int]] = [(Partition("", 0), -1)] * count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = count

    def put(self, index: int, partition: Partition, offset: int) -> None:
        self.places[index] = (partition, offset)
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: LogError) -> None:
        if not self.done.done():
            self.done.set_exception(type(error)(*error.args))


#: A fresh producer may go on after them.
_LOST_COUNT = (
    InvalidProducerEpoch,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    UnknownProducerId,
)
_Item = tuple[_Parcel, int, Draft]


class Outbox:
    """All appends of a log."""

    def __init__(self, brokers: Brokers, settings: KafkaSettings) -> None:
        self._brokers = brokers
        self._settings = settings
        self._room = ByteBudget(settings.buffer_bytes)
        self._queues: dict[Partition, deque[_Item]] = {}
        self._senders: dict[Partition, asyncio.Task[None]] = {}
        self._outages = defaultdict[Partition, Outage](lambda: Outage(logger))
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()
        self._closed = False

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        """See streams.log.Log.append. If cancelled, the drafts may or may not be stored."""
        sizes = [_size(draft) for draft in drafts]
        if (largest := max(sizes)) > _RECORD_BYTES:
            raise LogError(f"a message of {largest} bytes is more than the {_RECORD_BYTES} allowed")
        partitions = await self._partitions(drafts)
        size = sum(sizes)
        await self._room.enter(size)
        try:
            if self._closed:
                raise LogClosed("this log was closed")
            parcel = _Parcel(len(drafts))
            for index, (draft, partition) in enumerate(zip(drafts, partitions, strict=True)):
                self._queues.setdefault(partition, deque()).append((parcel, index, draft))
            for partition in set(partitions):
                if partition not in self._senders:
                    self._senders[partition] = asyncio.create_task(self._send(partition))
            await parcel.done
        finally:
            self._room.leave(size)
        return parcel.places

    async def close(self) -> None:
        """Waits for accepted drafts to be acknowledged, unless the brokers are unavailable."""
        self._closed = True
        senders = list(self._senders.values())
        if senders:
            await asyncio.wait(senders, timeout=_CLOSE_S)
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        closed = LogClosed("this log was closed")
        self._room.fail(closed)
        for queue in self._queues.values():
            for parcel, _, _ in queue:
                parcel.fail(closed)
        if self._producer is not None:
            self._retire(self._producer)
        if self._retired:
            await asyncio.wait(self._retired)

    async def _partitions(self, drafts: Sequence[Draft]) -> list[Partition]:
        counts: dict[str, int] = {}
        for topic in {draft.topic for draft in drafts}:
            found = await self._brokers.insist(partial(self._brokers.partitions, topic))
            if not found:
                raise LogError(f"there is no topic {topic!r}: create it first")
            counts[topic] = len(found)
        return [
            Partition(draft.topic, partition_of(draft.key, counts[draft.topic])) for draft in drafts
        ]

    async def _send(self, partition: Partition) -> None:
        """Sends until no draft waits for the partition. A failure fails all waiting drafts."""
        queue = self._queues[partition]
        taken: list[_Item] = []
        failure: LogError = LogClosed("this log was closed")
        try:
            while queue:
                producer = await self._running()
                await self._send_batch(producer, partition, queue, taken)
        except (KafkaError, OSError, LogError) as error:
            # Its sequence numbers would have a gap before the next batch.
            self._retire(self._producer)
            failure = self._failure(error)
        finally:
            for parcel, _, _ in [*taken, *queue]:
                parcel.fail(failure)
            queue.clear()
            del self._senders[partition]

    async def _send_batch(
        self,
        producer: AIOKafkaProducer,
        partition: Partition,
        queue: deque[_Item],
        taken: list[_Item],
    ) -> None:
        """Moves drafts that fit from `queue` to `taken`; clears `taken` once they are durable."""
        batch = producer.create_batch()
        while queue:
            draft = queue[0][2]
            added = batch.append(
                timestamp=None,
                key=draft.key,
                value=draft.value,
                headers=stamped(draft.headers, draft.timestamp_ms),
            )
            if added is None:
                break
            taken.append(queue.popleft())
        sent = await producer.send_batch(batch, partition.topic, partition=partition.number)
        if not (await asyncio.wait({sent}, timeout=_QUIET_S))[0]:
            reason = f"not acknowledged within {_QUIET_S:g} s"
            self._outages[partition].begin("log", reason, **partition._asdict())
        base = (await sent).offset
        self._outages[partition].end()
        for place, (parcel, index, _) in enumerate(taken):
            parcel.put(index, partition, base + place)
        taken.clear()

    async def _running(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **client_options(self._settings),
                    enable_idempotence=True,
                    max_batch_size=_BATCH_BYTES,
                )
                # It would drop batches without a leader after a while, which may be stored already.
                producer._message_accumulator._batch_ttl = math.inf
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    def _retire(self, producer: AIOKafkaProducer | None) -> None:
        if producer is None:
            return
        self._producer = None
        task = asyncio.create_task(_stop(producer))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    def _failure(self, error: Exception) -> LogError:
        if isinstance(error, _LOST_COUNT):
            servers = ",".join(self._settings.servers)
            return LogUnavailable(f"Kafka at {servers} lost count of this producer: {error}")
        return log_error(error, self._settings)


async def _stop(producer: AIOKafkaProducer) -> None:
    """Delivers its remaining batches first, unless the brokers are unavailable."""
    try:
        await asyncio.wait_for(producer.stop(), _CLOSE_S)
    except (TimeoutError, KafkaError):
        await producer.client.close()


def _size(draft: Draft) -> int:
    headers = sum(len(name) + len(value) for name, value in draft.headers.items())
    return _OVERHEAD_BYTES + len(draft.key) + len(draft.value or b"") + headers
