"""The context over Kafka: effects wait in their task for its next transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping

from streams.context import Task as Number
from streams.kafka.state import State
from streams.kafka.task import Task
from streams.kafka.transaction import Outgoing
from streams.log import Partition


class KafkaContext:
    """One per app. Implements streams.context.ProcessorContext.

    Effects of messages of a task that was just lost are dropped: they cannot be committed here,
    and the new owner makes them again.

    All topics have as many partitions as there are tasks: a key has the same number everywhere.
    """

    def __init__(
        self,
        owned: Mapping[Number, Task],
        state: Callable[[], State],
        partition: Callable[[bytes], int],
        filled: Callable[[], None],
        is_open: Callable[[], bool],
    ) -> None:
        """`owned` is read, not copied; `partition` maps a key; `filled` is called often."""
        self._is_open = is_open
        self._owned = owned
        self._state = state
        self._partition = partition
        self._filled = filled

    def send(
        self,
        task: Number,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        owned = self._owned.get(task)
        if owned is not None:
            number = task if key is None else self._partition(key)
            record = Outgoing(key, value, timestamp_ms, headers)
            owned.send(Partition(topic, number), record)
            self._filled()

    def send_to(
        self,
        task: Number,
        at: Partition,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        owned = self._owned.get(task)
        if owned is not None:
            owned.send(at, Outgoing(None, value, timestamp_ms, headers))
            self._filled()

    def row(self, task: Number, table: str, key: bytes) -> bytes | None:
        return self._state().row(task, table, key)

    def items(self, task: Number, table: str) -> Iterable[tuple[bytes, bytes]]:
        return self._state().items(table, [task])

    def put(
        self, task: Number, table: str, key: bytes, data: bytes | None, timestamp_ms: int
    ) -> None:
        owned = self._owned.get(task)
        if owned is not None:
            owned.put(table, key, data)
            self._filled()

    def tasks(self) -> Collection[Number]:
        return tuple(self._owned)

    def owned(self) -> Collection[Number]:
        return list(self._owned) if self._is_open() else ()

    def has_room(self, task: Number) -> bool:
        return task in self._owned and self._owned[task].has_room

    def position(self, task: Number, topic: str) -> int | None:
        owned = self._owned.get(task)
        return None if owned is None else owned.committed.get(Partition(topic, task))

    def has_rows(self, task: Number, table: str) -> bool:
        return self._state().has_rows(task, table)

    def rows(self) -> Mapping[str, int]:
        """Without tasks the state may be closed; it is not opened for this."""
        return {"all": self._state().rows} if self._owned else {}

    def size_bytes(self) -> int:
        return self._state().size_bytes if self._owned else 0
