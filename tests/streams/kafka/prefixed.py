"""A log of one test on a broker that all tests share: its topics and groups have a prefix."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import cast

import msgspec

from streams.log import (
    Assignment,
    Batch,
    Bounds,
    Draft,
    Log,
    Member,
    OffsetRanges,
    Offsets,
    OffsetTooOld,
    Partition,
    Record,
)
from streams.topics import Topic


class Prefixed:
    """Implements streams.log.Log."""

    def __init__(self, log: Log, prefix: str) -> None:
        self._log = log
        self._prefix = prefix

    async def create(self, topic: Topic, partitions: int) -> None:
        named = msgspec.structs.replace(topic, name=self._prefix + topic.name)
        await self._log.create(named, partitions)

    async def partitions(self, topic: str) -> Sequence[Partition]:
        return [self.without(each) for each in await self._log.partitions(self._prefix + topic)]

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        found = await self._log.bounds(self._prefix + topic)
        return {self.without(partition): bounds for partition, bounds in found.items()}

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        named = [draft._replace(topic=self._prefix + draft.topic) for draft in drafts]
        places = await self._log.append(named)
        return [(self.without(partition), offset) for partition, offset in places]

    def subscribe(
        self, topics: Sequence[str], start: Offsets | None = None, *, max_records: int = 500
    ) -> AsyncIterator[Batch]:
        named = [self._prefix + topic for topic in topics]
        begin = None if start is None else self.all_with(start)
        return self.following(self._log.subscribe(named, begin, max_records=max_records))

    async def following(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        async with aclosing(cast("AsyncGenerator[Batch, None]", batches)):
            try:
                async for batch in batches:
                    yield batch._replace(partition=self.without(batch.partition))
            except OffsetTooOld as error:
                raise self._told(error) from error

    async def read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record]:
        try:
            return await self._log.read(self._with(partition), offset, max_records)
        except OffsetTooOld as error:
            raise self._told(error) from error

    async def committed(self, group: str) -> Offsets:
        found = await self._log.committed(self._prefix + group)
        return {self.without(partition): offset for partition, offset in found.items()}

    async def commit(self, group: str, offsets: Offsets) -> None:
        await self._log.commit(self._prefix + group, self.all_with(offsets))

    async def join(
        self, group: str, topics: Sequence[str], *, instance: str | None = None
    ) -> Member:
        named = [self._prefix + topic for topic in topics]
        member = await self._log.join(self._prefix + group, named, instance=instance)
        return PrefixedMember(member, self)

    async def close(self) -> None:
        await self._log.close()

    def _with(self, partition: Partition) -> Partition:
        return Partition(self._prefix + partition.topic, partition.number)

    def all_with(self, offsets: Offsets) -> Offsets:
        return {self._with(partition): offset for partition, offset in offsets.items()}

    def without(self, partition: Partition) -> Partition:
        return Partition(partition.topic.removeprefix(self._prefix), partition.number)

    def spans_with(self, ranges: OffsetRanges) -> OffsetRanges:
        return {self._with(partition): range_ for partition, range_ in ranges.items()}

    def _told(self, error: OffsetTooOld) -> OffsetTooOld:
        return OffsetTooOld(self.without(error.partition), error.offset, error.floor)


class PrefixedMember:
    """Implements streams.log.Member."""

    def __init__(self, member: Member, log: Prefixed) -> None:
        self._member = member
        self._log = log

    async def assignment(self) -> Assignment:
        partitions, committed, begun = await self._member.assignment()
        without = self._log.without
        return Assignment(
            [without(each) for each in partitions],
            {without(each): offset for each, offset in committed.items()},
            [{without(each): range_ for each, range_ in ranges.items()} for ranges in begun],
        )

    def read(self, start: Offsets, *, max_records: int = 500) -> AsyncIterator[Batch]:
        begin = self._log.all_with(start)
        return self._log.following(self._member.read(begin, max_records=max_records))

    async def begin(self, ranges: OffsetRanges) -> None:
        await self._member.begin(self._log.spans_with(ranges))

    async def finish(self, ends: Offsets) -> None:
        await self._member.finish(self._log.all_with(ends))

    async def leave(self) -> None:
        await self._member.leave()
