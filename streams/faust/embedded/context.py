"""The context over the embedded log: the app's outbox, and rows in Faust's tables in memory.

It writes into the outbox directly. Faust's producer would add a future per message that nobody
awaits; these were a third of the pipeline's cost.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from streams.context import Task
from streams.embedded.engine import Entry
from streams.log import Partition
from streams.partitioner import partition_of
from streams.topics import UPDATES

if TYPE_CHECKING:
    from streams.faust.embedded.transport import Transport


class EmbeddedContext:
    """One per app. Implements streams.context.ProcessorContext."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport
        #: By the name of a table: its rows and the topic of its changelog.
        self._tables: dict[str, tuple[dict[bytes, bytes], str]] = {}

    def send(
        self,
        task: Task,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        partitions = self._transport.topic(topic).partitions
        number = task if key is None else partition_of(key, len(partitions))
        state = partitions[number % len(partitions)]
        entry = Entry(state, timestamp_ms, key, value, headers)
        self._transport.outbox.add(entry)

    def send_to(
        self,
        task: Task,
        at: Partition,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes],
    ) -> None:
        state = self._transport.topic(at.topic).partitions[at.number]
        self._transport.outbox.add(Entry(state, timestamp_ms, None, value, headers))

    def row(self, task: Task, table: str, key: bytes) -> bytes | None:
        return self._table(table)[0].get(key)

    def items(self, task: Task, table: str) -> Iterable[tuple[bytes, bytes]]:
        return list(self._table(table)[0].items())

    def put(
        self, task: Task, table: str, key: bytes, data: bytes | None, timestamp_ms: int
    ) -> None:
        rows, changelog = self._table(table)
        state = self._transport.topic(changelog).partitions[task]
        self._transport.outbox.add(Entry(state, timestamp_ms, key, data, {}))
        if data is not None:
            rows[key] = data
        else:
            del rows[key]

    def tasks(self) -> Collection[Task]:
        """All of them are this process's."""
        return range(len(self._transport.topic(UPDATES.name).partitions))

    def owned(self) -> Collection[Task]:
        consumer: Any = self._transport.app.consumer
        return self.tasks() if consumer.is_open else ()

    def has_room(self, task: Task) -> bool:
        room = self._transport.engine.room
        return room.taken <= room.limit

    def position(self, task: Task, topic: str) -> int | None:
        committed = self._transport.engine.commits.get(self._transport.outbox.group, {})
        return committed.get(Partition(topic, task))

    def has_rows(self, task: Task, table: str) -> bool:
        state = self._transport.topic(self._table(table)[1]).partitions[task]
        return state.assigned > state.first

    def rows(self) -> Mapping[str, int]:
        """Rows per table, of tables that were used."""
        return {name: len(rows) for name, (rows, _) in self._tables.items()}

    def size_bytes(self) -> int:
        """Bytes of the changelogs of these tables, which keep them on disk."""
        topics = [self._transport.topic(changelog) for _, changelog in self._tables.values()]
        return sum(state.row.size_bytes for topic in topics for state in topic.partitions)

    def _table(self, name: str) -> tuple[dict[bytes, bytes], str]:
        found = self._tables.get(name)
        if found is None:
            table: Any = cast(Any, self._transport.app.tables)[name]
            found = self._tables[name] = table.data, table.changelog_topic_name
        return found
