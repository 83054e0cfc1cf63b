"""The end of a partition for a reader: after the last record that it can get.

Kafka reports the end of the last transaction, which includes markers and aborted records that no
reader ever gets. A reader's position would never reach it, so the last readable record is looked
up.
"""

import asyncio
from collections.abc import Mapping

from streams.kafka.brokers import END, FIRST, Brokers
from streams.kafka.fetching import fetch_one
from streams.log import Bounds, Partition

#: One batch of records comes whatever its size; request no more.
_BYTES = 16 << 10


class Tails:
    """Caches ends, so that idle partitions cost no reads."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._known: dict[Partition, tuple[int, int]] = {}

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        """Raises the brokers' errors."""
        partitions = await self._brokers.partitions(topic)
        if not partitions:
            return {}
        # In this order: retention in between must not move the first offset past the end.
        ends = await self._brokers.offsets(partitions, END)
        firsts = await self._brokers.offsets(partitions, FIRST)
        nexts = await asyncio.gather(
            *(self._next(each, firsts[each], ends[each]) for each in partitions)
        )
        return {
            partition: Bounds(firsts[partition], max(after_last, firsts[partition]))
            for partition, after_last in zip(partitions, nexts, strict=True)
        }

    async def _next(self, partition: Partition, first: int, end: int) -> int:
        if first >= end:
            return first
        known_end, after_last = self._known.get(partition, (-1, -1))
        if known_end != end:
            after_last = await self._search(partition, first, end)
            self._known[partition] = (end, after_last)
        return after_last

    async def _search(self, partition: Partition, first: int, end: int) -> int:
        """Nearly always the last or the one before it; behind an aborted transaction, further."""
        reach = 2
        while True:
            start = max(first, end - reach)
            last = await self._last(partition, start, end)
            if last is not None:
                return last + 1
            if start == first:
                return first
            reach *= 8

    async def _last(self, partition: Partition, start: int, end: int) -> int | None:
        last, position = None, start
        while position < end:
            fetched = await fetch_one(self._brokers, partition, position, _BYTES)
            for record in fetched.records:
                if record.offset < end:
                    last = record.offset
            if fetched.records.next_fetch_offset <= position:
                break
            position = fetched.records.next_fetch_offset
        return last
