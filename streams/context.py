"""The processor context: how an agent's body reads and writes, within its message's commit."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from streams.log import Partition

#: A partition number. Partition n of every topic that the agents read, and of every changelog, is
#: one task: it is processed by one worker at a time and committed as one.
Task = int


class ProcessorContext(Protocol):
    """Called by handlers, from within the body of an agent. No method waits.

    Sent messages and put rows become visible to others only with the commit of the message that
    the body works on, all or none. `task` is the partition of that message; it must be assigned to
    this process.
    """

    def send(
        self,
        task: Task,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        """Send a message. Its partition follows from its key; without a key it is `task`."""

    def send_to(
        self,
        task: Task,
        at: Partition,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        """A message without a key to one partition of a topic."""

    def row(self, task: Task, table: str, key: bytes) -> bytes | None:
        """The row, with uncommitted changes of this and earlier messages; None: no such row."""

    def items(self, task: Task, table: str) -> Iterable[tuple[bytes, bytes]]:
        """The present rows of a table for this task, in any order.

        The embedded log includes those of other tasks. A scan: do not call it per message.
        """

    def put(
        self, task: Task, table: str, key: bytes, data: bytes | None, timestamp_ms: int
    ) -> None:
        """Put a row into a table and its changelog; None deletes it."""

    def tasks(self) -> Collection[Task]:
        """The tasks assigned to this process."""

    def owned(self) -> Collection[Task]:
        """The tasks that may be worked on now, in a commit of their own: none while the group
        rebalances, or before their tables are up to date."""

    def has_room(self, task: Task) -> bool:
        """Whether more may be made for the next commit of an owned task."""

    def position(self, task: Task, topic: str) -> int | None:
        """The next offset of an input that an owned task has committed; None: it never has."""

    def has_rows(self, task: Task, table: str) -> bool:
        """Whether an owned task has, or has had, rows in a table."""

    def rows(self) -> Mapping[str, int]:
        """Rows per table; an estimate for `all` tables where counting would need a scan."""

    def size_bytes(self) -> int:
        """Bytes of all tables on disk."""
