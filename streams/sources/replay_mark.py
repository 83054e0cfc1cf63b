"""Finds in the log itself how far a recording has been written.

The headers of a replayed message contain its recording and its number in the recording. A mark,
stored as the committed offsets of a group, is where the search for them begins: all messages with
numbers below the lowest one found there are in the log too.
"""

from collections.abc import Mapping
from typing import NamedTuple

from streams.between import read_between
from streams.ids import ChannelId
from streams.log import Bounds, Log, Offsets, Partition
from streams.partitioner import partition_of
from streams.topics import UPDATES, channel_key

#: Headers of a replayed message: its recording, and its number in the recording.
RECORDING, NUMBER = "recording", "recording_number"
#: Messages between two advances of the mark.
MARK_EVERY = 500
_READ_AT_ONCE = 500


class Written(NamedTuple):
    """The messages of a recording that are in the log, without gaps within a partition."""

    #: The lowest number after the mark; None if the log has no message of the recording there.
    lowest: int | None
    #: The highest number after the mark, per partition.
    highest: Mapping[int, int]
    partitions: int

    def holds(self, number: int, channel_id: ChannelId) -> bool:
        return self.holds_key(number, channel_key(channel_id))

    def holds_key(self, number: int, key: bytes) -> bool:
        if self.lowest is None:
            return False
        partition = partition_of(key, self.partitions)
        return number < self.lowest or number <= self.highest.get(partition, -1)


class ReplayMark:
    """The mark of one recording in one log. Only one replay of it may run at a time."""

    def __init__(self, log: Log, identity: str) -> None:
        self._log = log
        self._identity = identity.encode()
        self._group = f"replay:{identity}"
        #: The next two positions of the mark.
        self._noted: tuple[Offsets, Offsets] = ({}, {})
        self._since = 0

    def headers(self, number: int) -> Mapping[str, bytes]:
        return {RECORDING: self._identity, NUMBER: b"%d" % number}

    async def find(self) -> Written:
        """The messages already in the log. Call it once, before anything is written.

        Messages that retention has removed do not count as present. Raises LogError.
        """
        ends = await self._ends()
        marks = await self._log.committed(self._group)
        if not marks:
            await self._log.commit(self._group, ends)
        self._noted = (marks or ends, ends)
        found = {
            partition.number: numbers
            for partition, end in ends.items()
            if (numbers := await self._numbers(partition, (marks or ends).get(partition, 0), end))
        }
        lowest = min((min(numbers) for numbers in found.values()), default=None)
        return Written(lowest, {n: max(numbers) for n, numbers in found.items()}, len(ends))

    async def advance(self, messages: int) -> None:
        """Call it after the acknowledgement of `messages` more, while no append is pending.

        Raises LogError. The mark stays behind more than the last append: if a torn tail loses a
        part of that append, the first message after the mark is still in the log.
        """
        self._since += messages
        if self._since >= MARK_EVERY:
            next_mark, later = self._noted
            await self._log.commit(self._group, next_mark)
            self._noted = (later, await self._ends())
            self._since = 0

    async def _ends(self) -> Offsets:
        bounds = await self._log.bounds(UPDATES.name)
        return {partition: one.next for partition, one in bounds.items()}

    async def _numbers(self, partition: Partition, offset: int, end: int) -> list[int]:
        """The recording's messages in [offset, end)."""
        numbers: list[int] = []
        between = Bounds(offset, end)
        async for records in read_between(self._log, partition, between, _READ_AT_ONCE):
            numbers += [
                int(record.headers[NUMBER])
                for record in records
                if record.headers.get(RECORDING) == self._identity
            ]
        return numbers
