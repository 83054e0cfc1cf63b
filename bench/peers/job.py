"""What an engine is told to do, and what its input looks like. Needs msgspec alone."""

import sys
from pathlib import Path

import msgspec

PARTITIONS = 8
#: Channels from here on carry one late event each, which closes the windows of its partition.
CLOSING = 8_000_000


class Frame(msgspec.Struct, frozen=True):
    """One message of many increments, in columns: what was said at once of many channels."""

    channels: list[int]
    at_ms: list[int]
    increments: list[int]


class Event(msgspec.Struct, frozen=True):
    """One message of one increment."""

    channel: int
    at_ms: int
    increment: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Count, sum and maximum of the increments of every channel and minute of a topic."""

    servers: str
    topic: str
    #: Messages are Frames in msgpack; else they are Events in JSON.
    framed: bool
    #: In the whole topic.
    events: int
    #: Messages of each partition.
    messages: list[int]
    #: No two runs have the same.
    group: str
    #: For state and results; empty.
    folder: str
    #: Where the broker is a process of this machine.
    broker_pid: int | None
    #: When the process was started, on the machine's monotonic clock.
    started_s: float
    #: For engines that have them: which way it is to be done.
    variant: str = ""

    @property
    def path(self) -> Path:
        return Path(self.folder)


def read_job() -> Job:
    """From standard input."""
    return msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
