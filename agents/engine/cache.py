"""Decoded rows in front of a table of bytes, so that a hot row is not decoded for each message.

A row is folded in place and then written back: in between, the cache and the table differ, which
is why an unknown error ends the process.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic

from streams.context import ProcessorContext, Task
from tables.rows import R, RowDecoder


class RowCache(Generic[R]):
    """The rows of one table. The least recently used are forgotten first.

    A key belongs to one task only, as keys do that begin with the key of the messages.
    """

    def __init__(self, context: ProcessorContext, table: str, row: type[R], size: int) -> None:
        self._context = context
        self._table = table
        self._row = row
        self._decode = RowDecoder(row)
        self._size = size
        self._rows: OrderedDict[bytes, R] = OrderedDict()

    def get(self, task: Task, key: bytes) -> R:
        """The row, made when it is new. Raises UnknownRow."""
        row = self._rows.get(key)
        if row is not None:
            self._rows.move_to_end(key)
            return row
        data = self._context.row(task, self._table, key)
        row = self._row() if data is None else self._decode(data)
        self._rows[key] = row
        if len(self._rows) > self._size:
            self._rows.popitem(last=False)
        return row

    def items(self, task: Task) -> Iterator[tuple[bytes, R]]:
        """All rows of a task, and maybe of others, decoded for the caller. Raises UnknownRow."""
        for key, data in self._context.items(task, self._table):
            yield key, self._decode(data)

    def write(self, task: Task, key: bytes, data: bytes, timestamp_ms: int) -> None:
        """Put an encoded row into the table and its changelog."""
        self._context.put(task, self._table, key, data, timestamp_ms)

    def drop(self, task: Task, key: bytes, timestamp_ms: int) -> None:
        """Delete a row from the table, with a tombstone in its changelog."""
        self._rows.pop(key, None)
        if self._context.row(task, self._table, key) is not None:
            self._context.put(task, self._table, key, None, timestamp_ms)

    def forget(self) -> None:
        """Forget decoded rows: the tasks of this process have changed."""
        self._rows.clear()
