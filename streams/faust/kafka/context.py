"""The context over Kafka: what a message makes waits in its task for the next transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping

from streams.context import Task as Number
from streams.kafka.state import State
from streams.kafka.task import Task
from streams.kafka.transaction import Outgoing
from streams.log import Partition


class KafkaContext:
    """One an app. Implements streams.context.ProcessorContext.

    What is made of messages of a task that was lost a moment ago goes nowhere: nothing of them
    will be committed here, and who has the task now makes it anew.

    All topics have as many partitions as there are tasks: a key is in the same one everywhere.
    """

    def __init__(
        self,
        owned: Mapping[Number, Task],
        state: Callable[[], State],
        partition: Callable[[bytes], int],
        filled: Callable[[], None],
    ) -> None:
        """`owned` is looked at, not kept; `partition` of a key; `filled` is called often."""
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

    def rows(self) -> Mapping[str, int]:
        """Without a task the state may be closed, and is not opened for this."""
        return {"all": self._state().rows} if self._owned else {}

    def size_bytes(self) -> int:
        return self._state().size_bytes if self._owned else 0
