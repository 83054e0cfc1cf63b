"""Fills a decision with what was observed before the log begins, from an archive.

Everything observed before the log's first record was appended comes from the archive, also where
the log has it; what was observed later comes from the log. So nothing is folded from both.
"""

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from agents.engine.fills import NOTHING_RECALLED, Cursor, Fill
from agents.engine.past import Past
from agents.engine.slices import SLICE, Slices
from streams.context import Task
from streams.log import Partition, Record
from streams.topics import UPDATES

#: The offset of the first message that is recalled, below those of every log.
_LOWEST = -(1 << 61)


class Page(NamedTuple):
    """Messages as the log would have them, without their offsets."""

    records: Sequence[Record]
    #: Whether there are more.
    more: bool


class ArchiveUnavailable(Exception):
    """It cannot be asked now, or has not stored yet what it would be asked for: try again."""


class Archive(Protocol):
    """Keeps what was observed for longer than the log does. Raises ArchiveUnavailable."""

    async def holds(self, at: Partition, offset: int) -> bool:
        """Whether everything that the partition held before `offset` is in it."""

    async def page(self, at: Partition, partitions: int, before_ms: int, after: Cursor) -> Page:
        """What the partition held that was observed before an instant, channel by channel.

        A page is of one channel, and ends with a whole instant.
        """


class Recalling:
    def __init__(self, slices: Slices, archive: Archive | None) -> None:
        self._slices = slices
        self._archive = archive

    async def is_for(self, at: Partition, until: int) -> bool:
        """Whether what the log has removed of a partition can be recalled.

        Raises ArchiveUnavailable until the archive has what the log holds before `until`.
        """
        if self._archive is None or at.topic != UPDATES.name:
            return False
        if not await self._archive.holds(at, until):
            raise ArchiveUnavailable("history has not stored what the log holds")
        return True

    async def step(self, past: Past, task: Task, fill: Fill) -> None:
        """Fold a page, in slices of whole instants."""
        if self._archive is None:
            raise ArchiveUnavailable(f"{past.name} is filled from history, which is not here")
        at = Partition(past.topic, task)
        partitions = len(await self._slices.log.partitions(at.topic))
        after = fill.recalled or NOTHING_RECALLED
        page = await self._archive.page(at, partitions, fill.since_ms or 0, after)
        if not self._slices.is_at(past, task, fill):
            return
        for slice_ in _instants(page.records):
            began = time.perf_counter()
            last, count = slice_[-1], (fill.recalled or NOTHING_RECALLED)[2]
            low = _LOWEST + count
            past.fold(task, [one._replace(offset=low + n) for n, one in enumerate(slice_)])
            fill.recalled = (int(last.key or 0), last.timestamp_ms, count + len(slice_))
            past.gate.moved(task, past.name)
            await self._slices.pause(past, task, time.perf_counter() - began)
            if not self._slices.is_at(past, task, fill):
                return
        if not page.more:
            fill.state = "filling"
            past.gate.moved(task, past.name)


def not_recalled(records: Sequence[Record], fill: Fill) -> Sequence[Record]:
    """The records of the log that do not come from the archive."""
    if fill.recalled is None:
        return records
    until, since_ms = fill.until or 0, fill.since_ms or 0
    return [one for one in records if one.offset >= until or one.timestamp_ms >= since_ms]


def _instants(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    start = 0
    while start < len(records):
        stop = min(start + SLICE, len(records))
        while stop < len(records) and records[stop].timestamp_ms == records[stop - 1].timestamp_ms:
            stop += 1
        yield records[start:stop]
        start = stop
