"""How far a recording has been written into the log, found in the log itself.

Every message of a replay says in its headers which recording it is of and its number in it. A
mark, kept in the offsets that a group committed, says from where on the log has to be searched
for them: all messages before the first one found there are in the log too.
"""

from collections.abc import Mapping
from typing import NamedTuple

from streams.between import read_between
from streams.ids import ChannelId
from streams.log import Bounds, Log, Offsets, Partition
from streams.partitioner import partition_of
from streams.topics import UPDATES, channel_key

#: Headers of a replayed message: which recording, and the message's number in it.
RECORDING, NUMBER = "recording", "recording_number"
#: Messages from one moving of the mark to the next.
MARK_EVERY = 500
_READ_AT_ONCE = 500


class Written(NamedTuple):
    """The messages of a recording that are in the log: within a partition none is left out."""

    #: The first one after the mark; None: none at all.
    lowest: int | None
    #: The last one in each partition, after the mark.
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
    """Of one recording in one log. Only one replay of it may run at a time."""

    def __init__(self, log: Log, identity: str) -> None:
        self._log = log
        self._identity = identity.encode()
        self._group = f"replay:{identity}"
        #: Where the mark moves to next, and after that.
        self._noted: tuple[Offsets, Offsets] = ({}, {})
        self._since = 0

    def headers(self, number: int) -> Mapping[str, bytes]:
        return {RECORDING: self._identity, NUMBER: b"%d" % number}

    async def find(self) -> Written:
        """What is in the log already; to be called once, before anything is written.

        What retention has removed is not in the log. Raises LogError.
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
        """So many more were acknowledged, and none is under way.

        After the mark there is always more than the last append: were a part of that lost (a torn
        tail), the first message after the mark is still the first one.
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
