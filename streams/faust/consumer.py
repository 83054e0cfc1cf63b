"""The base of our transports' consumers: Faust's, with two parts replaced.

Faust's bookkeeping of acknowledgements counts messages as processed that it only skipped while the
app stops, and cannot step over the gaps that compaction and transactions leave in offsets. Its
fetch loop makes two asyncio tasks per message and sleeps for a second when buffers are full.
Delivery, streams, tables and the order of a rebalance are Faust's.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

from faust.transport.consumer import Consumer as BaseConsumer
from faust.types import TP, AppT, ConsumerMessage, Message
from mode import ServiceT

from streams.faust.effects import Effects, Standing
from streams.faust.message import batch_of, first_batch, message_of
from streams.faust.unacked import UnackedByPartition, no_index
from streams.log import Record

#: So many of an app that takes them one by one are delivered before the next partition's turn.
SINGLE_RECORDS = 64
#: What may be delivered and not yet acknowledged, in bytes of values.
IN_FLIGHT_BYTES = 32 << 20


class Consumer(BaseConsumer):
    """Subclasses define where records come from and how commits are made."""

    def __post_init__(self) -> None:
        self._topics: set[str] = set()
        #: Whether the app's agents take records in batches (agents.engine.body); others' do not.
        self._takes_batches: bool = getattr(self.app, "takes_batches", False)
        self._assigned: set[TP] = set()
        self._unacked = UnackedByPartition(self._on_ack)
        faust: Any = self
        faust._acked, faust._acked_index = self._unacked, no_index()
        #: Of ordinary agents; bodies of batches have none.
        self.effects = Effects(self._standing)
        self._in_flight = 0
        #: Whether messages may be delivered: from the first resumption of the flow after positions
        #: were set, because resuming empties the streams' queues.
        self._open = self._sought = False
        #: Set when the fetch loop may have something to do.
        self._news = asyncio.Event()

    # -- for subclasses

    @property
    def is_open(self) -> bool:
        """Whether messages are delivered: the tables are up to date, and nobody rebalances."""
        return self._open and self.flow_active

    def stop_commits(self) -> None:
        """Disable commits: what is not committed yet never will be."""
        raise NotImplementedError

    def _next_records(self, tp: TP) -> Sequence[Record]:
        """What comes next and is at hand, at most BATCH_RECORDS; the position stays."""
        raise NotImplementedError

    def _delivered(self, tp: TP, records: Sequence[Record]) -> None:
        """Move the position of a partition on, behind `records`: the first of those at hand."""
        raise NotImplementedError

    def _has_room(self, tp: TP) -> bool:
        """Whether the next commit has room for effects of more messages of this partition."""
        return True

    # -- partitions

    def assignment(self) -> set[TP]:
        return set(self._assigned)

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    def _forget_deliveries(self) -> None:
        """Forget unacknowledged messages: they are delivered again from the new positions."""
        self._unacked.clear()
        self.effects.forget()
        self._in_flight = 0
        self._open = self._sought = False

    async def on_task_error(self, exc: BaseException) -> None:
        """An agent's body raised: its message must not be committed as processed."""
        self.stop_commits()
        await self.crash(exc)

    # -- fetching

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                self._news.clear()
                if not await self._round():
                    await self._news.wait()
        except asyncio.CancelledError:
            # An orderly stop, which Faust would treat as a crash during a rebalance.
            if not fetcher.should_stop:
                raise

    async def _round(self) -> bool:
        """Deliver from every active partition. False if there was nothing to deliver."""
        found = False
        for tp in sorted(self._get_active_partitions()):
            if not self.flow_active:
                return False
            if not self._may_deliver(tp):
                continue
            records = self._next_records(tp)
            if records:
                found = True
                await self._deliver(tp, records)
                await asyncio.sleep(0)
        return found

    def _may_deliver(self, tp: TP) -> bool:
        if tp not in self._get_active_partitions():
            return False
        if tp.topic in self.app.tables.changelog_topics:
            return True
        return self._open and self._in_flight <= IN_FLIGHT_BYTES and self._has_room(tp)

    async def _deliver(self, tp: TP, records: Sequence[Record]) -> None:
        acking = self.app.topics.acks_enabled_for(tp.topic)
        generation = self.app.consumer_generation_id
        in_batches = self._takes_batches and tp.topic not in self.app.tables.changelog_topics
        batches = (
            [first_batch(records)] if in_batches else [[each] for each in records[:SINGLE_RECORDS]]
        )
        for batch in batches:
            if not self.flow_active or generation != self.app.consumer_generation_id:
                return
            if acking:
                size = _size(batch)
                self._unacked[tp].deliver(batch[-1].offset, size)
                self._in_flight += size
            self._delivered(tp, batch)
            message = (
                batch_of(tp, batch, generation) if in_batches else self._to_message(tp, batch[0])
            )
            await self.callback(message)

    def _to_message(self, tp: TP, record: Record) -> ConsumerMessage:
        return message_of(tp, record, self.app.consumer_generation_id)

    async def create_topic(self, *_args: Any, **_kwargs: Any) -> None:
        """Faust makes topics with its producer."""

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        raise NotImplementedError("the fetch loop does not ask for many")

    def resume_flow(self) -> None:
        super().resume_flow()
        self._open = self._sought
        self._news.set()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        super().resume_partitions(tps)
        self._news.set()

    def on_buffer_drop(self, tp: TP) -> None:
        super().on_buffer_drop(tp)
        self._news.set()

    # -- acknowledging

    def _on_ack(self, size: int) -> bool:
        """Ignores acknowledgements while the flow is stopped: streams then only skip messages."""
        if not self.flow_active:
            return False
        if self._in_flight > IN_FLIGHT_BYTES:
            self._news.set()
        self._in_flight -= size
        self._committable()
        return True

    def _committable(self) -> None:
        """Called when a commit would write something."""
        raise NotImplementedError

    def _new_offset(self, tp: TP) -> int | None:
        offset = self._unacked[tp].take_committable()
        if offset is not None:
            self.effects.release(tp, offset)
        return offset

    def _standing(self, message: Message) -> Standing:
        if message.topic not in self._topics:
            return Standing.DONE
        if message.generation_id != self.app.consumer_generation_id:
            return Standing.STALE
        return self._unacked[message.tp].standing(message.offset)


def stop_commits(app: AppT) -> None:
    """Disable all commits of `app`. Call it before a failed body returns.

    Uncommitted messages are processed again after the next start. The process must end.
    """
    cast(Consumer, app.consumer).stop_commits()


def _size(records: Sequence[Record]) -> int:
    return sum([len(record.value or b"") for record in records])
