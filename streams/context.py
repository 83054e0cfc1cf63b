"""How an agent's body reads and writes: within the commit of the message that it works on."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

#: A partition number. Partition n of every topic that the agents read, and of every changelog, is
#: one task: it is processed by one worker at a time and committed as one.
Task = int


class ProcessorContext(Protocol):
    """Nothing here waits, and nothing has happened before the commit of the message has.

    `task` is the partition of the message that the body works on.
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
        """A message to a topic; its partition follows from its key, and without one is `task`."""

    def row(self, task: Task, table: str, key: bytes) -> bytes | None:
        """A row as it stands, with what this and earlier messages have put."""

    def items(self, task: Task, table: str) -> Iterable[tuple[bytes, bytes]]:
        """All rows of a table that are this task's, as they stand, in any order.

        The embedded log adds those of the other tasks. A walk: not to be called for each message.
        """

    def put(
        self, task: Task, table: str, key: bytes, data: bytes | None, timestamp_ms: int
    ) -> None:
        """A row to a table and its changelog; None deletes it."""

    def tasks(self) -> Collection[Task]:
        """The tasks that this process has."""

    def rows(self) -> Mapping[str, int]:
        """How many rows each table has; `all` together, about, where counting were a walk."""

    def size_bytes(self) -> int:
        """Of all tables, on the disk."""
