"""A log of one test on a broker that all tests share: its topics and groups have a prefix."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import cast

import msgspec

from streams.log import Batch, Bounds, Draft, Log, Offsets, OffsetTooOld, Partition, Record
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
        return [self._without(each) for each in await self._log.partitions(self._prefix + topic)]

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        found = await self._log.bounds(self._prefix + topic)
        return {self._without(partition): bounds for partition, bounds in found.items()}

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        named = [draft._replace(topic=self._prefix + draft.topic) for draft in drafts]
        places = await self._log.append(named)
        return [(self._without(partition), offset) for partition, offset in places]

    def subscribe(
        self, topics: Sequence[str], start: Offsets | None = None, *, max_records: int = 500
    ) -> AsyncIterator[Batch]:
        named = [self._prefix + topic for topic in topics]
        begin = None if start is None else self._all_with(start)
        return self._follow(self._log.subscribe(named, begin, max_records=max_records))

    async def _follow(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        async with aclosing(cast("AsyncGenerator[Batch, None]", batches)):
            try:
                async for batch in batches:
                    yield batch._replace(partition=self._without(batch.partition))
            except OffsetTooOld as error:
                raise self._told(error) from error

    async def read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record]:
        try:
            return await self._log.read(self._with(partition), offset, max_records)
        except OffsetTooOld as error:
            raise self._told(error) from error

    async def committed(self, group: str) -> Offsets:
        found = await self._log.committed(self._prefix + group)
        return {self._without(partition): offset for partition, offset in found.items()}

    async def commit(self, group: str, offsets: Offsets) -> None:
        await self._log.commit(self._prefix + group, self._all_with(offsets))

    async def close(self) -> None:
        await self._log.close()

    def _with(self, partition: Partition) -> Partition:
        return Partition(self._prefix + partition.topic, partition.number)

    def _all_with(self, offsets: Offsets) -> Offsets:
        return {self._with(partition): offset for partition, offset in offsets.items()}

    def _without(self, partition: Partition) -> Partition:
        return Partition(partition.topic.removeprefix(self._prefix), partition.number)

    def _told(self, error: OffsetTooOld) -> OffsetTooOld:
        return OffsetTooOld(self._without(error.partition), error.offset, error.floor)
