"""The log as its users see it: partitioned topics of records, read by offset.

`embedded://` (streams.embedded) and, for many machines, `kafka://` (streams.kafka) implement it;
one suite of laws (tests/laws/log.py) runs over both. Faust talks to the same log through its own
transport; this port serves everything that is not Faust: sources, history, API, bot, taps.

    LogError
    ├── LogInUse         another process holds it (its pid is in the message)
    ├── LogDamaged       stored bytes are not what was written
    ├── LogFull          no space left, and waiting for it is of no use
    ├── LogClosed        used after close
    ├── LogUnavailable   cannot be reached now: try again with growing pauses
    ├── NotOwner         the partitions were reassigned: ask for the assignment again
    └── OffsetTooOld     asked for what retention has removed (`floor` is the first that is left)
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from streams.topics import Topic


class LogError(Exception):
    """Base of what a log raises; the message is one line that says what to do."""


class LogInUse(LogError): ...


class LogDamaged(LogError): ...


class LogFull(LogError): ...


class LogClosed(LogError): ...


class LogUnavailable(LogError): ...


class NotOwner(LogError): ...


class OffsetTooOld(LogError):
    """The asked offset is below the first one kept."""

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
    """One message as stored. Offsets grow by at least one within a partition."""

    offset: int
    #: Event time.
    timestamp_ms: int
    key: bytes | None
    #: None is a tombstone: the key has no value any more.
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

    `next` follows the last record that a reader can get now. What belongs to a transaction that
    is open or was aborted does not count, nor do the marks that transactions leave at offsets of
    their own: who has read everything stands at `next`, whatever is stored behind it, and a
    position is never behind `next` when there is nothing to read.
    """

    first: int
    next: int


#: Where a reader stands: the next offset to read, a partition.
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


#: What a member works on at once.
OffsetRanges = Mapping[Partition, OffsetRange]


class Assignment(NamedTuple):
    """What a member of a group has of its topics."""

    partitions: Sequence[Partition]
    #: The next offset to read, a partition. Not there: the group never committed one.
    committed: Offsets
    #: What was begun and not finished, by this member or by who had a partition of it before.
    #: OffsetRanges may be of partitions that are others' now: they find the same.
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
        """The present assignment; waits until there is one. Raises LogUnavailable, LogError."""

    def read(self, start: Offsets, *, max_records: int = 500) -> AsyncIterator[Batch]:
        """Records of partitions of the assignment, from `start` on, then live. See Log.subscribe.

        Raises NotOwner once the assignment holds no longer.
        """

    async def begin(self, ranges: OffsetRanges) -> None:
        """Durable when it returns. Replaces what was begun before of the same partitions.

        Raises NotOwner when a partition is not this member's.
        """

    async def finish(self, ends: Offsets) -> None:
        """Commits the next offsets to read, and with that what was begun of their partitions."""

    async def leave(self) -> None:
        """Others get its assignment at once, unless it is an instance: then in a session's time.

        Anything else raises LogClosed from then on.
        """


class Log(Protocol):
    """All calls are made from one event loop."""

    @property
    def held(self) -> str:
        """Why nothing is taken in now, and what to do; empty while it is.

        There is too little room: appends and commits wait, unacknowledged, until there is enough.
        """

    async def create(self, topic: Topic, partitions: int) -> None:
        """Make sure that a topic exists. An existing one keeps its number of partitions."""

    async def partitions(self, topic: str) -> Sequence[Partition]:
        """Empty for a topic that does not exist."""

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]: ...

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        """Returns when all are durable, with their places. Waits while buffers are full, and while
        the log is held.

        The drafts become readable in order; on an error none of them is acknowledged.
        """

    def subscribe(
        self,
        topics: Sequence[str],
        start: Offsets | None = None,
        *,
        max_records: int = 500,
    ) -> AsyncIterator[Batch]:
        """Records from `start` on (partitions it does not name: from their end), then live.

        None starts everywhere at the end. Never loses and never repeats a record; raises
        OffsetTooOld instead of skipping what retention removed. Closing the iterator ends it.
        """

    async def read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record]:
        """What is there now from `offset` on; empty at the end. Raises OffsetTooOld."""

    async def committed(self, group: str) -> Offsets: ...

    async def commit(self, group: str, offsets: Offsets) -> None:
        """Durable when it returns. Groups of readers outside Faust share a namespace with Faust.

        Not for a group that has members.
        """

    async def join(
        self, group: str, topics: Sequence[str], *, instance: str | None = None
    ) -> Member:
        """Become a member. One with an `instance` that is back within a session's time gets the
        assignment that it had, and nobody else is disturbed."""

    async def close(self) -> None: ...
