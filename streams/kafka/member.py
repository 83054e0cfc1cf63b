"""KafkaMember: the port streams.log.Member, as a member of a consumer group.

The broker assigns partitions and counts generations; a commit carries the generation of its
assignment, so that the broker refuses it after the next rebalance.
Begun ranges are stored in the text beside the committed offset of each of their partitions.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, NamedTuple

from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from streams.kafka import groups
from streams.kafka.brokers import Brokers
from streams.kafka.failures import log_error
from streams.kafka.following import Following
from streams.kafka.groups import Committed, Membership
from streams.kafka.offset_ranges import read_ranges, write_ranges
from streams.log import Assignment, Batch, LogClosed, NotOwner, OffsetRanges, Offsets, Partition

#: How often to check whether this process may join the group.
_LOOK_S = 0.5
_LEAVE_S = 5.0
_NEVER_MS = 2**31 - 1


class _Given(NamedTuple):
    """The assignment of one generation."""

    membership: Membership
    partitions: Sequence[Partition]
    #: Resolved at the next rebalance.
    lost: asyncio.Event


class KafkaMember:
    """Made by `join`. Implements streams.log.Member."""

    def __init__(self, brokers: Brokers, group: str, topics: Sequence[str]) -> None:
        self._brokers = brokers
        self._group = group
        self._topics = tuple(topics)
        self._given: _Given | None = None
        self._changed = asyncio.Event()
        self._committed: dict[Partition, int] = {}
        self._readers: set[Following] = set()
        self.left = False
        self._lifetime = ExitStack()
        self._coordinator: Any = None

    @classmethod
    async def join(
        cls, brokers: Brokers, group: str, topics: Sequence[str], instance: str | None
    ) -> "KafkaMember":
        """`brokers` belong to this member and are closed with it. Raises LogError."""
        member = cls(brokers, group, topics)
        try:
            for topic in topics:
                await brokers.insist(lambda: brokers.partitions(topic))  # noqa: B023
            member._enter(instance)
        except BaseException:
            await brokers.close()
            raise
        return member

    async def assignment(self) -> Assignment:
        while True:
            given = await self._current()
            committed = await self._brokers.insist(
                lambda: groups.committed(self._brokers, self._group)
            )
            if given is self._given:
                break
        own = {each: committed[each] for each in given.partitions if each in committed}
        self._committed = {partition: each.offset for partition, each in own.items()}
        begun: list[OffsetRanges] = []
        for note in dict.fromkeys(each.note for each in own.values() if each.note):
            ranges = read_ranges(note)
            if _is_done(ranges, committed):
                noted = [each for each, told in own.items() if told.note == note]
                # The owner of another part of it has finished all of it.
                await self._commit(given, {each: (ranges[each].next, "") for each in noted})
            elif ranges:
                begun.append(ranges)
        return Assignment(given.partitions, dict(self._committed), begun)

    async def read(self, start: Offsets, *, max_records: int = 500) -> AsyncIterator[Batch]:
        given = self._owning(start)
        topics = list(dict.fromkeys(partition.topic for partition in start))
        brokers = await Brokers.connect(self._brokers.settings)
        following = Following(brokers, topics, dict(start), max_records, only=True)
        self._readers.add(following)
        batches = following.batches()
        try:
            while True:
                yield await self._unless_lost(given, anext(batches))
        finally:
            await batches.aclose()
            await following.stop()
            self._readers.discard(following)

    async def begin(self, ranges: OffsetRanges) -> None:
        given = self._owning(ranges)
        note = write_ranges(ranges)
        # The offsets stay: begun work is not finished.
        offsets = {each: self._committed.get(each, range_.first) for each, range_ in ranges.items()}
        await self._commit(given, {each: (offset, note) for each, offset in offsets.items()})

    async def finish(self, ends: Offsets) -> None:
        given = self._owning(ends)
        await self._commit(given, {each: (offset, "") for each, offset in ends.items()})

    async def leave(self) -> None:
        if self.left:
            return
        self.left = True
        self._lose()
        for reader in list(self._readers):
            await reader.stop()
        # Do not wait for unavailable brokers: they drop this member after the session timeout.
        try:
            await asyncio.wait_for(self._coordinator.close(), _LEAVE_S)
        except (TimeoutError, KafkaError):
            await self._abandon()
        self._lifetime.close()
        await self._brokers.close()

    async def _abandon(self) -> None:
        coordinator = self._coordinator
        tasks = [
            task
            for task in (coordinator._coordination_task, coordinator._heartbeat_task)
            if task is not None
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _enter(self, instance: str | None) -> None:
        settings = self._brokers.settings
        subscription = SubscriptionState()
        subscription.register_fetch_waiters(set())
        # The group must not expect polls: this member may wait long for a store.
        self._lifetime.enter_context(subscription.fetch_context())
        self._coordinator = GroupCoordinator(
            self._brokers.client,
            subscription,
            group_id=self._group,
            group_instance_id=instance,
            session_timeout_ms=settings.session_ms,
            heartbeat_interval_ms=settings.session_ms // 6,
            rebalance_timeout_ms=settings.session_ms,
            max_poll_interval_ms=_NEVER_MS,
            enable_auto_commit=False,
            # One assignor only: with several, aiokafka joins once per assignor, and every join
            # makes all others join again.
            assignors=(_ByNumber,),
        )
        subscription.subscribe(set(self._topics), listener=_Listener(self._give, self._lose))

    def _give(self, partitions: Sequence[Partition]) -> None:
        coordinator = self._coordinator
        membership = Membership(coordinator.generation, coordinator.member_id)
        self._given = _Given(membership, partitions, asyncio.Event())
        self._changed.set()

    def _lose(self) -> None:
        if self._given is not None:
            self._given.lost.set()
            self._given = None
        self._changed.set()

    async def _current(self) -> _Given:
        while self._given is None:
            self._check()
            try:
                self._coordinator.check_errors()
            except KafkaError as error:
                raise log_error(error, self._brokers.settings) from error
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _LOOK_S)
        return self._given

    def _refused(self, given: _Given) -> None:
        """Handles a refusal by the broker: the assignment is no longer valid."""
        if given is self._given:
            self._lose()
            self._coordinator.request_rejoin()

    def _owning(self, partitions: Mapping[Partition, object]) -> _Given:
        self._check()
        given = self._given
        if given is None or not partitions.keys() <= set(given.partitions):
            raise NotOwner(f"group {self._group!r} is handing out its partitions anew")
        return given

    async def _unless_lost(self, given: _Given, coming: Any) -> Batch:
        """The next batch, as long as the assignment is valid."""
        batch = asyncio.ensure_future(coming)
        lost = asyncio.ensure_future(given.lost.wait())
        try:
            await asyncio.wait({batch, lost}, return_when=asyncio.FIRST_COMPLETED)
            if given.lost.is_set():
                self._check()
                raise NotOwner(f"group {self._group!r} is handing out its partitions anew")
            result: Batch = await batch
            return result
        finally:
            lost.cancel()
            batch.cancel()
            await asyncio.gather(lost, batch, return_exceptions=True)

    async def _commit(self, given: _Given, commits: Mapping[Partition, tuple[int, str]]) -> None:
        if commits:
            work = partial(groups.commit, self._brokers, self._group, commits, given.membership)
            try:
                await self._brokers.insist(work)
            except NotOwner:
                self._refused(given)
                raise
            self._committed.update({each: offset for each, (offset, _) in commits.items()})

    def _check(self) -> None:
        if self.left:
            raise LogClosed(f"this member has left group {self._group!r}")


def _is_done(ranges: OffsetRanges, committed: Mapping[Partition, Committed]) -> bool:
    return any(
        partition in committed and committed[partition].offset >= range_.next
        for partition, range_ in ranges.items()
    )


class _ByNumber(RoundRobinPartitionAssignor):  # type: ignore[misc]
    """Partition n of every topic to one member: a channel's observations and its outputs.

    It has the name of the assignor of earlier versions, so that members can be upgraded one by
    one.
    """

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> Any:
        return RangePartitionAssignor.assign(cluster, members)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, give: Any, lose: Any) -> None:
        self._give = give
        self._lose = lose

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._lose()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._give([Partition(*each) for each in sorted(assigned)])
