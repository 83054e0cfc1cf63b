"""The log as its users see it: partitioned topics of records, read by offset.

`embedded://` (streams.embedded) and, for many machines, `kafka://` (streams.kafka) implement it;
one suite of laws (tests/laws/log.py) runs over both. Faust talks to the same log through its own
transport; this port serves everything that is not Faust: sources, history, API, bot, taps.

    LogError
    ├── LogInUse         another process has it open (names its pid)
    ├── LogDamaged       stored bytes differ from those written
    ├── LogFull          no space left, and waiting does not help
    ├── LogClosed        used after close
    ├── LogUnavailable   unreachable now: retry with growing pauses
    ├── NotOwner         the partitions were reassigned: ask for the assignment again
    └── OffsetTooOld     retention removed the records asked for (`floor` is the first kept)
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from streams.topics import Topic


class LogError(Exception):
    """Base of the errors of a log. The message is one line that says what to do."""


class LogInUse(LogError): ...


class LogDamaged(LogError): ...


class LogFull(LogError): ...


class LogClosed(LogError): ...


class LogUnavailable(LogError): ...


class NotOwner(LogError): ...


class OffsetTooOld(LogError):
    """The requested offset is below `floor`, the first one kept."""

    def __init__(self, partition: "Partition", offset: int, floor: int) -> None:
        super().__init__(f"{partition.topic}/{partition.number}: {offset} is gone, {floor} is left")
        self.partition = partition
        self.offset = offset
        self.floor = floor


class Partition(NamedTuple):
    topic: str
    number: int


#: A header of a message that was copied from another log: when that log appended it.
FIRST_APPENDED = "first_appended_ms"


class Record(NamedTuple):
    """A stored message. Offsets grow by at least one within a partition."""

    offset: int
    #: Event time.
    timestamp_ms: int
    key: bytes | None
    #: None is a tombstone: the key is deleted.
    value: bytes | None
    headers: Mapping[str, bytes]
    #: When the log appended it: by the brokers' clocks on Kafka, by the clock that it was opened
    #: with on the embedded log. The same for every reader. 0 where it is not known.
    appended_ms: int = 0

    @property
    def first_appended_ms(self) -> int:
        """When the first log that held this message appended it. 0 where it is not known."""
        copied = self.headers.get(FIRST_APPENDED, b"")
        return int(copied) if copied.isdigit() else self.appended_ms


class Draft(NamedTuple):
    """A message to be appended. Its partition follows from its key."""

    topic: str
    key: bytes
    value: bytes | None
    timestamp_ms: int
    headers: Mapping[str, bytes] = {}


class Bounds(NamedTuple):
    """[first, next): where a reader finds records in a partition.

    `next` follows the last record that a reader can get now. Records of open or aborted
    transactions do not count, nor do the markers that transactions leave at separate offsets: a
    reader that has read everything is at `next`, whatever is stored after it, and a position is
    never below `next` when there is nothing to read.
    """

    first: int
    next: int


#: The position of a reader: the next offset to read, per partition.
Offsets = Mapping[Partition, int]


class Batch(NamedTuple):
    """Consecutive records of one partition."""

    partition: Partition
    records: Sequence[Record]

    @property
    def next_offset(self) -> int:
        return self.records[-1].offset + 1


class OffsetRange(NamedTuple):
    """[first, next): consecutive offsets of one partition."""

    first: int
    next: int


#: The ranges that a member works on at once.
OffsetRanges = Mapping[Partition, OffsetRange]


class Assignment(NamedTuple):
    """The partitions that a member of a group owns, and where to resume."""

    partitions: Sequence[Partition]
    #: The next offset to read, per partition; missing if the group never committed one.
    committed: Offsets
    #: Work that was begun and not finished, by this member or by a previous owner. It may include
    #: partitions that other members own now: they find the same ranges.
    begun: Sequence[OffsetRanges]


class Member(Protocol):
    """A member of a consumer group: owns some partitions of some topics. Made by `Log.join`.

    Each partition has one owner at a time. When members join or leave, all partitions are
    reassigned; what a member does with its old assignment is then refused with NotOwner. Work with
    effects outside of the log is done in three steps, so that a reassigned partition loses nothing:
    `begin` the ranges, do the work, `finish` it. A new owner first repeats what was begun and not
    finished - all of it, in a way that twice is once - and resumes from there.
    """

    async def assignment(self) -> Assignment:
        """The present assignment; waits until there is one.

        Raises LogUnavailable, LogError.
        """

    def read(self, start: Offsets, *, max_records: int = 500) -> AsyncIterator[Batch]:
        """Records of owned partitions from `start` on, then live. See Log.subscribe.

        Raises NotOwner once the partitions are reassigned.
        """

    async def begin(self, ranges: OffsetRanges) -> None:
        """Begin work on `ranges`. Durable when it returns.

        Replaces ranges of the same partitions that were begun before. Raises NotOwner if this
        member does not own a partition.
        """

    async def finish(self, ends: Offsets) -> None:
        """Commit the next offsets to read, which finishes the ranges begun in these partitions.

        Durable when it returns. Raises NotOwner.
        """

    async def leave(self) -> None:
        """Leave the group. Other members get the partitions at once; those of an `instance` only
        after the session timeout.

        Every later call raises LogClosed.
        """


class Log(Protocol):
    """Called by sources, history, API, bot and taps, all from one event loop."""

    @property
    def held(self) -> str:
        """Why intake is paused and what to do; empty while it is not.

        While the disk has too little room, appends and commits wait unacknowledged.
        """

    async def create(self, topic: Topic, partitions: int) -> None:
        """Create the topic if it does not exist. An existing one keeps its partitions."""

    async def partitions(self, topic: str) -> Sequence[Partition]:
        """Empty for a topic that does not exist."""

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]: ...

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        """Append messages; returns their offsets when all are durable, in the order of `drafts`.

        Waits while buffers are full and while the log is held. The drafts of one partition become
        readable in order. On an error none is acknowledged, and any of them may be stored.
        """

    def subscribe(
        self,
        topics: Sequence[str],
        start: Offsets | None = None,
        *,
        max_records: int = 500,
    ) -> AsyncIterator[Batch]:
        """Records from `start` on, then live. Other partitions, and None, start at the end.

        Loses and repeats no record; raises OffsetTooOld instead of skipping records that retention
        removed. Waits for new records without end; close the iterator to stop.
        """

    async def read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record]:
        """The records present from `offset` on, at most `max_records`; empty at the end. Does not
        wait for new ones. Raises OffsetTooOld."""

    async def committed(self, group: str) -> Offsets: ...

    async def commit(self, group: str, offsets: Offsets) -> None:
        """Store the next offsets to read. Durable when it returns.

        Only for groups without members. Faust's group and all others share one namespace.
        """

    async def join(
        self, group: str, topics: Sequence[str], *, instance: str | None = None
    ) -> Member:
        """Become a member of a group. A member with an `instance` that returns within the session
        timeout gets its previous assignment back, and no other member is reassigned."""

    async def close(self) -> None: ...
