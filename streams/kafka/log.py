"""KafkaLog: the port streams.log.Log over Apache Kafka.

Readers see committed records only, none of open or aborted transactions.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from aiokafka.errors import OffsetOutOfRangeError

from streams.kafka import groups
from streams.kafka.appending import Outbox
from streams.kafka.brokers import END, FIRST, Brokers
from streams.kafka.fetching import fetch_one
from streams.kafka.following import Following, ends
from streams.kafka.member import KafkaMember
from streams.kafka.settings import KafkaSettings
from streams.kafka.tail import Tails
from streams.kafka.topic_creation import make
from streams.log import (
    Batch,
    Bounds,
    Draft,
    LogClosed,
    LogError,
    LogUnavailable,
    Offsets,
    OffsetTooOld,
    Partition,
    Record,
)
from streams.topics import Topic

T = TypeVar("T")


class KafkaLog:
    """A log on a cluster. Implements streams.log.Log."""

    def __init__(self, brokers: Brokers, settings: KafkaSettings, extra: Mapping[str, str]) -> None:
        self._brokers = brokers
        self._settings = settings
        self._extra = extra
        self._tails = Tails(brokers)
        self._outbox = Outbox(brokers, settings)
        self._calls: set[asyncio.Task[Any]] = set()
        #: Subscriptions that are finding their start: they include all later appends.
        self._beginning: set[asyncio.Task[dict[Partition, int]]] = set()
        self._followings: set[Following] = set()
        self._members: list[KafkaMember] = []
        self._closed = False

    @classmethod
    async def open(
        cls, settings: KafkaSettings, extra: Mapping[str, str] | None = None
    ) -> "KafkaLog":
        """`extra`: Kafka settings of the topics that it makes.

        Raises LogUnavailable if no broker answers, LogError if they refuse us.
        """
        return cls(await Brokers.connect(settings), settings, extra or {})

    @property
    def held(self) -> str:
        """Always empty: brokers without room refuse appends."""
        return ""

    async def create(self, topic: Topic, partitions: int) -> None:
        work = partial(make, self._brokers, topic, partitions, self._extra)
        await self._call(self._brokers.insist(work))

    async def partitions(self, topic: str) -> Sequence[Partition]:
        return await self._call(self._brokers.insist(partial(self._brokers.partitions, topic)))

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        return await self._call(self._brokers.insist(partial(self._tails.bounds, topic)))

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        return await self._call(self._append(drafts))

    def subscribe(
        self,
        topics: Sequence[str],
        start: Offsets | None = None,
        *,
        max_records: int = 500,
    ) -> AsyncIterator[Batch]:
        self._check()
        find = self._brokers.insist(partial(ends, self._brokers, topics))
        beginning = asyncio.create_task(find)
        self._beginning.add(beginning)
        beginning.add_done_callback(self._begun)
        return self._follow(topics, dict(start or {}), beginning, max_records)

    async def read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record]:
        work = partial(self._read, partition, offset, max_records)
        return await self._call(self._brokers.insist(work))

    async def committed(self, group: str) -> Offsets:
        work = partial(groups.committed, self._brokers, group)
        found = await self._call(self._brokers.insist(work))
        return {partition: committed.offset for partition, committed in found.items()}

    async def commit(self, group: str, offsets: Offsets) -> None:
        self._check()
        if offsets:
            commits = {partition: (offset, "") for partition, offset in offsets.items()}
            work = partial(groups.commit, self._brokers, group, commits)
            await self._call(self._brokers.insist(work))

    async def join(
        self, group: str, topics: Sequence[str], *, instance: str | None = None
    ) -> KafkaMember:
        return await self._call(self._join(group, topics, instance))

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._outbox.close()
        calls = [*self._calls, *self._beginning]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for member in self._members:
            await member.leave()
        for following in list(self._followings):
            await following.stop()
        await self._brokers.close()

    async def _join(self, group: str, topics: Sequence[str], instance: str | None) -> KafkaMember:
        brokers = await Brokers.connect(self._settings)
        member = await KafkaMember.join(brokers, group, topics, instance)
        self._members = [*(each for each in self._members if not each.left), member]
        return member

    async def _append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        if not drafts:
            return []
        if self._beginning:
            await asyncio.wait(self._beginning)
        return await self._outbox.append(drafts)

    async def _follow(
        self,
        topics: Sequence[str],
        start: dict[Partition, int],
        beginning: "asyncio.Task[dict[Partition, int]]",
        max_records: int,
    ) -> AsyncIterator[Batch]:
        positions = {**await self._call(_result(beginning)), **start}
        brokers = await self._call(Brokers.connect(self._settings))
        following = Following(brokers, topics, positions, max_records)
        self._followings.add(following)
        batches = following.batches()
        try:
            while True:
                yield await self._call(anext(batches))
        finally:
            await batches.aclose()
            await following.stop()
            # Only now: closing the log waits for these connections too.
            self._followings.discard(following)

    async def _read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record]:
        if partition not in await self._brokers.partitions(partition.topic):
            raise LogError(f"no such partition: {partition.topic}/{partition.number}")
        records: list[Record] = []
        while True:
            # A response covers one segment, which may contain only markers and aborted records.
            position = offset
            try:
                fetched = await fetch_one(self._brokers, partition, position)
            except OffsetOutOfRangeError:
                await self._explain(partition, position)
                raise
            records.extend(islice(fetched.records, max_records - len(records)))
            offset = fetched.records.next_fetch_offset
            if len(records) >= max_records or not position < offset < fetched.end:
                return records

    async def _explain(self, partition: Partition, offset: int) -> None:
        """The error for an offset that is out of range."""
        floor = (await self._brokers.offsets([partition], FIRST))[partition]
        if offset < floor:
            raise OffsetTooOld(partition, offset, floor)
        end = (await self._brokers.offsets([partition], END))[partition]
        if offset > end:
            raise LogError(f"{partition}: {offset} is beyond the end, {end}")
        raise LogUnavailable(f"{partition}: {offset} cannot be read now")

    async def _call(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises LogClosed if the log is closed meanwhile."""
        try:
            self._check()
        except LogClosed:
            work.close()
            raise
        task = asyncio.ensure_future(work)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        try:
            return await task
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if self._closed and task.cancelled() and not (me and me.cancelling()):
                raise LogClosed("this log was closed") from None
            raise

    def _begun(self, beginning: "asyncio.Task[dict[Partition, int]]") -> None:
        self._beginning.discard(beginning)
        if not beginning.cancelled():
            # The reader of the subscription gets the error; there may be none.
            beginning.exception()

    def _check(self) -> None:
        if self._closed:
            raise LogClosed("this log was closed")


async def _result(task: "asyncio.Task[T]") -> T:
    return await asyncio.shield(task)
