"""Faust's consumer over the embedded log: reads the log directly, commits with its outbox."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from faust.types import TP
from mode import Service

from streams.embedded.partition import PartitionState, TopicState
from streams.faust.assignment import assign
from streams.faust.consumer import Consumer as DriverConsumer
from streams.faust.embedded.recovery import restore
from streams.faust.message import BATCH_RECORDS
from streams.log import LogError, Partition, Record
from streams.partitioner import partition_of

if TYPE_CHECKING:
    from streams.faust.embedded.transport import Transport

logger = logging.getLogger(__name__)


class Consumer(DriverConsumer):
    transport: "Transport"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._positions: dict[TP, int] = {}
        #: Records that were read and are not delivered, from the position on.
        self._at_hand: dict[TP, Sequence[Record]] = {}

    # -- lifecycle

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
        """See the base class, and transport.stop_commits."""
        self.transport.outbox.stop()

    # -- partitions

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Schedules the assignment of all partitions: Faust needs this call to return first."""
        self._topics = set(topics)
        self.add_future(self._assign())

    async def _assign(self) -> None:
        states = {name: self.transport.topic(name) for name in self._topics}
        try:
            self._check_partitions(states)
        except LogError as error:
            await self.crash(error)
            return
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(set(self._assigned))
        self._forget_deliveries()
        partitions = {name: len(state.partitions) for name, state in states.items()}
        self._assigned = {TP(name, n) for name, count in partitions.items() for n in range(count)}
        app: Any = self.app
        app.consumer_generation_id += 1
        assign(self.app, {name: range(count) for name, count in partitions.items()})
        await self.on_partitions_assigned(set(self._assigned), app.consumer_generation_id)

    def _check_partitions(self, states: Mapping[str, TopicState]) -> None:
        """The tasks: partition n of all topics that the engine reads is one."""
        if not self._takes_batches:
            return
        read = {
            name: len(state.partitions)
            for name, state in sorted(states.items())
            if name not in self.app.tables.changelog_topics
        }
        if len(set(read.values())) > 1:
            told = ", ".join(f"{topic} has {count}" for topic, count in read.items())
            raise LogError(f"topics must have the same number of partitions: {told}")

    def topic_partitions(self, topic: str) -> int | None:
        found = self.transport.engine.topics.get(topic)
        return len(found.partitions) if found else None

    def key_partition(
        self, topic: str, key: bytes | None, partition: int | None = None
    ) -> int | None:
        if partition is not None or key is None:
            return partition
        return partition_of(key, len(self.transport.topic(topic).partitions))

    def _state(self, tp: TP) -> PartitionState:
        return self.transport.topic(tp.topic).partitions[tp.partition]

    # -- positions

    def highwater(self, tp: TP) -> int:
        return self.transport.engine.end(self._state(tp))

    async def highwaters(self, *partitions: TP) -> MutableMapping[TP, int]:
        """One above the last readable offset: recovery waits until it has read that far."""
        return {tp: self.highwater(tp) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> MutableMapping[TP, int]:
        return {tp: self._state(tp).first for tp in partitions}

    async def position(self, tp: TP) -> int | None:
        return self._positions.get(tp)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset
        self._at_hand.pop(partition, None)
        self._news.set()

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Called by recovery only, with changelogs; reads them immediately."""
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
        self._at_hand.clear()
        self._forget_deliveries()
        self._sought = True
        return committed

    def _start(self, tp: TP, committed: int | None) -> int:
        state = self._state(tp)
        if committed is None:
            earliest = self.app.conf.consumer_auto_offset_reset == "earliest"
            return state.first if earliest else state.next
        if committed < state.first:
            logger.warning(
                "messages_removed_by_retention",
                extra={"partition": tp, "committed": committed, "first": state.first},
            )
        return max(committed, state.first)

    # -- fetching

    def _may_deliver(self, tp: TP) -> bool:
        return tp in self._positions and super()._may_deliver(tp)

    def _next_records(self, tp: TP) -> Sequence[Record]:
        """Read again only when all is delivered: a read decodes whole batches of the log."""
        if not (records := self._at_hand.get(tp)):
            state = self._state(tp)
            start = max(self._positions[tp], state.first)
            records = self._at_hand[tp] = self.transport.engine.read(state, start, BATCH_RECORDS)
        return records

    def _delivered(self, tp: TP, records: Sequence[Record]) -> None:
        self._positions[tp] = records[-1].offset + 1
        self._at_hand[tp] = self._at_hand.get(tp, ())[len(records) :]

    # -- committing

    def _committable(self) -> None:
        self.transport.outbox.filled.set()

    @Service.task
    async def _commit_handler(self) -> None:
        """Commits when there is something to commit, at most once per linger time."""
        linger_s = self.transport.options.linger_ms / 1000
        while not self.should_stop:
            await self.transport.outbox.filled.wait()
            await self.commit()
            await asyncio.sleep(linger_s)

    async def _commit_tps(self, tps: Iterable[TP], start_new_transaction: bool) -> bool:
        """Must not await between choosing the offsets and submitting them with the outbox."""
        offsets = self._filter_committable_offsets(tps)
        try:
            handed_over = self._hand_over(offsets)
            if handed_over is None:
                return False
            # A commit that is abandoned because the app stops is written nevertheless.
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
