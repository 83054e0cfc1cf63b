"""Faust's consumer over the embedded log.

Faust's own bookkeeping of acknowledgements and its fetch loop are replaced: the first because it
counts a message as processed that was only skipped while the app stops, and because it cannot
step over gaps that compaction leaves; the second because it costs two tasks a message and sleeps
for a second when buffers are full. Delivery, streams, tables and recovery are Faust's.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from faust.transport.consumer import Consumer as BaseConsumer
from faust.types import TP, ConsumerMessage
from mode import Seconds, Service, ServiceT

from streams.embedded.assignment import assign_all
from streams.embedded.message import message_of
from streams.embedded.partition import PartitionState
from streams.embedded.recovery import restore
from streams.embedded.unacked import UnackedByPartition, no_index
from streams.log import LogError, Partition, Record
from streams.partitioner import partition_of

if TYPE_CHECKING:
    from streams.embedded.transport import Transport

logger = logging.getLogger(__name__)

#: Messages taken of one partition before the next gets its turn.
_FETCH = 64
#: What may be delivered and not yet acknowledged, in bytes of values.
_IN_FLIGHT_BYTES = 32 << 20


class Consumer(BaseConsumer):
    transport: "Transport"

    def __post_init__(self) -> None:
        self._topics: set[str] = set()
        self._assigned: set[TP] = set()
        self._positions: dict[TP, int] = {}
        self._unacked = UnackedByPartition(self._on_ack)
        faust: Any = self
        faust._acked, faust._acked_index = self._unacked, no_index()
        self._in_flight = 0
        #: Whether streams may be given messages: from the first resumption of the flow after the
        #: positions were set, because resuming empties the streams' queues.
        self._open = self._sought = False
        #: Set when the fetch loop may have something to do.
        self._news = asyncio.Event()

    # -- life

    async def on_start(self) -> None:
        self.transport.enter()
        self._news = self.transport.engine.listen()
        await super().on_start()

    async def on_stop(self) -> None:
        try:
            await super().on_stop()
        finally:
            self.transport.engine.unlisten(self._news)
            await self.transport.leave()

    def stop_commits(self) -> None:
        """Nothing that is not committed now will be. See transport.stop_commits."""
        self.transport.outbox.stop()

    async def on_task_error(self, exc: BaseException) -> None:
        """An agent's body has failed: its message must not be committed as processed."""
        self.stop_commits()
        await self.crash(exc)

    # -- partitions

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Gives this process all partitions of `topics`, soon: Faust waits for this to return."""
        self._topics = set(topics)
        self.add_future(self._assign())

    async def _assign(self) -> None:
        states = {name: self.transport.topic(name) for name in self._topics}
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(set(self._assigned))
        self._unacked.clear()
        self._in_flight = 0
        self._open = self._sought = False
        partitions = {name: len(state.partitions) for name, state in states.items()}
        self._assigned = {TP(name, n) for name, count in partitions.items() for n in range(count)}
        app: Any = self.app
        app.consumer_generation_id += 1
        assign_all(self.app, partitions)
        await self.on_partitions_assigned(set(self._assigned), app.consumer_generation_id)

    async def create_topic(
        self,
        topic: str,
        partitions: int,
        replication: int,
        *,
        config: Mapping[str, Any] | None = None,
        timeout: Seconds = 30.0,
        retention: Seconds | None = None,
        compacting: bool | None = None,
        deleting: bool | None = None,
        ensure_created: bool = False,
    ) -> None:
        self.transport.create(topic, partitions, compacted=bool(compacting))

    def assignment(self) -> set[TP]:
        return set(self._assigned)

    def topic_partitions(self, topic: str) -> int | None:
        found = self.transport.engine.topics.get(topic)
        return len(found.partitions) if found else None

    def key_partition(
        self, topic: str, key: bytes | None, partition: int | None = None
    ) -> int | None:
        if partition is not None or key is None:
            return partition
        return partition_of(key, len(self.transport.topic(topic).partitions))

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    def _state(self, tp: TP) -> PartitionState:
        return self.transport.topic(tp.topic).partitions[tp.partition]

    # -- positions

    def highwater(self, tp: TP) -> int:
        return self.transport.engine.end(self._state(tp))

    async def highwaters(self, *partitions: TP) -> MutableMapping[TP, int]:
        """One above what can really be read: recovery waits until it has read that far."""
        return {tp: self.highwater(tp) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> MutableMapping[TP, int]:
        return {tp: self._state(tp).first for tp in partitions}

    async def position(self, tp: TP) -> int | None:
        return self._positions.get(tp)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset
        self._news.set()

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Only recovery calls it, with changelogs; they are read here and now."""
        for tp, offset in partitions.items():
            await self._seek(tp, max(offset, 0))
            await self._seek(tp, await restore(self.app, self.transport.engine, self._state(tp)))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        commits = self.transport.engine.commits.get(self.transport.outbox.group, {})
        committed = {
            tp: commits[Partition(*tp)] for tp in self._assigned if Partition(*tp) in commits
        }
        for tp in self._assigned:
            self._positions[tp] = self._start(tp, committed.get(tp))
            self._unacked.pop(tp, None)
        self._in_flight = 0
        self._open, self._sought = False, True
        return committed

    def _start(self, tp: TP, committed: int | None) -> int:
        state = self._state(tp)
        if committed is None:
            earliest = self.app.conf.consumer_auto_offset_reset == "earliest"
            return state.first if earliest else state.next
        if committed < state.first:
            logger.warning(
                "messages were removed by retention before they were processed",
                extra={"partition": tp, "committed": committed, "first": state.first},
            )
        return max(committed, state.first)

    # -- fetching

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        while not (self.should_stop or fetcher.should_stop):
            self._news.clear()
            if not await self._round():
                await self._news.wait()

    async def _round(self) -> bool:
        """Every active partition gets its turn. False: there was nothing to deliver."""
        found = False
        for tp in sorted(self._get_active_partitions()):
            if not self.flow_active:
                return False
            if tp not in self._positions or tp not in self._get_active_partitions():
                continue
            if not self._open and tp.topic not in self.app.tables.changelog_topics:
                continue
            acking = self.app.topics.acks_enabled_for(tp.topic)
            if acking and self._in_flight > _IN_FLIGHT_BYTES:
                continue
            state = self._state(tp)
            position = max(self._positions[tp], state.first)
            records = self.transport.engine.read(state, position, _FETCH)
            if records:
                found = True
                await self._deliver(tp, records, acking)
                await asyncio.sleep(0)
        return found

    async def _deliver(self, tp: TP, records: Iterable[Record], acking: bool) -> None:
        generation = self.app.consumer_generation_id
        self.app.monitor.track_tp_end_offset(tp, self._state(tp).next)
        for record in records:
            if not self.flow_active or generation != self.app.consumer_generation_id:
                return
            message = self._to_message(tp, record)
            if acking:
                size = len(record.value or b"")
                self._unacked[tp].deliver(record.offset, size)
                self._in_flight += size
            self._positions[tp] = record.offset + 1
            await self.callback(message)

    def _to_message(self, tp: TP, record: Record) -> ConsumerMessage:
        return message_of(tp, record, self.app.consumer_generation_id)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        raise NotImplementedError("the fetch loop reads the log itself")

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

    # -- acknowledging and committing

    def _on_ack(self, size: int) -> bool:
        """Streams also acknowledge what they only skip, while the flow is stopped."""
        if not self.flow_active:
            return False
        if self._in_flight > _IN_FLIGHT_BYTES:
            self._news.set()
        self._in_flight -= size
        self.transport.outbox.filled.set()
        return True

    @Service.task
    async def _commit_handler(self) -> None:
        """Commits as soon as there is something to, but not more often than the linger says."""
        linger_s = self.transport.options.linger_ms / 1000
        while not self.should_stop:
            await self.transport.outbox.filled.wait()
            await self.commit()
            await asyncio.sleep(linger_s)

    def _new_offset(self, tp: TP) -> int | None:
        return self._unacked[tp].take_committable()

    async def _commit_tps(self, tps: Iterable[TP], start_new_transaction: bool) -> bool:
        """From choosing the offsets to handing them over with all that was sent: no await."""
        offsets = self._filter_committable_offsets(tps)
        try:
            handed_over = self._hand_over(offsets)
            if handed_over is None:
                return False
            # A commit that is given up (the app stops) is written nevertheless.
            await asyncio.shield(handed_over)
        except LogError as error:
            self.stop_commits()
            await self.crash(error)
            return False
        self._committed_offset.update(offsets)
        self.app.tables.on_commit(offsets)
        self.app.monitor.on_tp_commit(offsets)
        return True

    def _hand_over(self, offsets: Mapping[TP, int]) -> "asyncio.Future[None] | None":
        return self.transport.outbox.commit(
            {Partition(*tp): offset for tp, offset in offsets.items()}
        )

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        handed_over = self._hand_over(offsets)
        if handed_over is not None:
            await asyncio.shield(handed_over)
        return handed_over is not None
