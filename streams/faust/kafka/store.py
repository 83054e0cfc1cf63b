"""The tables of an ordinary app on Kafka, with the rows of this worker's tasks.

Readers in this process see a change at once; it belongs to the transaction of its message.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from faust.stores.base import SerializedStore
from faust.types import TP

from streams.context import Task
from streams.faust.effects import Effect, Effects, task_at_work

if TYPE_CHECKING:
    from streams.faust.kafka.transport import Transport

SCHEME = "rows"


class _Changed(NamedTuple):
    """An uncommitted row. Distinguished from one with the same value by its identity."""

    row: bytes | None


class Store(SerializedStore[bytes, bytes]):
    """One per table."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Changes of messages that are not committed yet.
        self._changed: dict[tuple[Task, bytes], _Changed] = {}

    def persisted_offset(self, tp: TP) -> int | None:
        """Faust restores nothing: tables are up to date before it gets a partition."""
        return None

    def reset_state(self) -> None:
        """Does nothing: the state tracks its positions (state.py)."""

    async def backup_partition(self, *_args: Any, **_kwargs: Any) -> None:
        """The changelog is the backup."""

    def restore_backup(self, *_args: Any, **_kwargs: Any) -> None:
        """The changelog is the backup."""

    def _get(self, key: bytes) -> bytes | None:
        """The row of the current task; outside of a message, of any task here that has it."""
        for task in self._places():
            row = self._row(task, key)
            if row is not None:
                return row
        return None

    def _set(self, key: bytes, value: bytes | None) -> None:
        task = task_at_work()
        if task is None:
            # An expiring row. Faust refuses to set one outside of a message.
            task = next((each for each in self._places() if self._row(each, key) is not None), None)
        if task is not None:
            self._change(task, key, value)

    def _del(self, key: bytes) -> None:
        self._set(key, None)

    def _iteritems(self) -> Iterator[tuple[bytes, bytes]]:
        state, tasks = self._transport.state, sorted(self._transport.tasks.owned)
        for task in tasks:
            rows: dict[bytes, bytes | None] = dict(state.items(self.table_name, [task]))
            rows |= {key: each.row for (of, key), each in self._changed.items() if of == task}
            yield from ((key, row) for key, row in sorted(rows.items()) if row is not None)

    def _iterkeys(self) -> Iterator[bytes]:
        return (key for key, _ in self._iteritems())

    def _itervalues(self) -> Iterator[bytes | None]:
        return (row for _, row in self._iteritems())

    def _size(self) -> int:
        return sum(1 for _ in self._iteritems())

    def _contains(self, key: bytes) -> bool:
        return self._get(key) is not None

    def _clear(self) -> None:
        """Deletes all rows here, each with its tombstone in the changelog."""
        for key in list(self._iterkeys()):
            self._del(key)

    def _places(self) -> list[Task]:
        task = task_at_work()
        return sorted(self._transport.tasks.owned) if task is None else [task]

    def _row(self, task: Task, key: bytes) -> bytes | None:
        changed = self._changed.get((task, key))
        if changed is not None:
            return changed.row
        return self._transport.state.row(task, self.table_name, key)

    def _change(self, task: Task, key: bytes, row: bytes | None) -> None:
        changed = self._changed[task, key] = _Changed(row)

        def settle() -> None:
            if self._changed.get((task, key)) is changed:
                del self._changed[task, key]

        def put() -> None:
            settle()
            self._transport.context.put(task, self.table_name, key, row, 0)

        self._effects.add(Effect(do=put, lose=settle))

    @property
    def _effects(self) -> Effects:
        return cast(Any, self.app.consumer).effects  # type: ignore[no-any-return]

    @property
    def _transport(self) -> "Transport":
        return cast("Transport", cast(Any, self.app).transport)
