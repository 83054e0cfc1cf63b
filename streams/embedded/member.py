"""EmbeddedMember: the port streams.log.Member where one process owns the whole log."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from streams.log import Assignment, Batch, LogClosed, OffsetRange, OffsetRanges, Offsets

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from streams.embedded.log import EmbeddedLog


class EmbeddedMember:
    """The owner of every partition. Implements streams.log.Member.

    The ends of the begun ranges are the committed offsets of a second group, `GROUP-pending`.
    """

    def __init__(self, log: "EmbeddedLog", group: str, topics: Sequence[str]) -> None:
        self._log = log
        self._group = group
        self._begun = f"{group}-pending"
        self._topics = tuple(topics)
        self._left = False

    async def assignment(self) -> Assignment:
        self._check()
        partitions = [each for topic in self._topics for each in await self._log.partitions(topic)]
        committed = await self._log.committed(self._group)
        ends = await self._log.committed(self._begun)
        begun = {
            partition: OffsetRange(committed.get(partition, 0), ends[partition])
            for partition in partitions
            if ends.get(partition, 0) > committed.get(partition, 0)
        }
        own = {each: committed[each] for each in partitions if each in committed}
        return Assignment(partitions, own, [begun] if begun else [])

    def read(self, start: Offsets, *, max_records: int = 500) -> AsyncIterator[Batch]:
        self._check()
        topics = list(dict.fromkeys(partition.topic for partition in start))
        return self._until_left(self._log.subscribe(topics, start, max_records=max_records))

    async def begin(self, ranges: OffsetRanges) -> None:
        self._check()
        ends = {partition: range_.next for partition, range_ in ranges.items()}
        await self._log.commit(self._begun, ends)

    async def finish(self, ends: Offsets) -> None:
        self._check()
        await self._log.commit(self._group, ends)

    async def leave(self) -> None:
        self._left = True

    async def _until_left(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        async with aclosing(cast("AsyncGenerator[Batch, None]", batches)):
            async for batch in batches:
                self._check()
                yield batch

    def _check(self) -> None:
        if self._left:
            raise LogClosed(f"this member has left group {self._group!r}")
