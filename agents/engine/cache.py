"""Decoded rows in front of a table of bytes: a hot row is neither decoded nor encoded per message.

A row is folded in place, and written to the table at the end of the batch, once, however many of
its messages changed it. In between, the cache and the table differ, which is why an unknown error
ends the process.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic

from streams.context import ProcessorContext, Task
from tables.rows import R, RowDecoder, encode_row


class RowCache(Generic[R]):
    """The rows of one table; evicts the least recently used. No method waits.

    A key must belong to one task only, as keys do that begin with the key of their messages.
    """

    def __init__(self, context: ProcessorContext, table: str, row: type[R], size: int) -> None:
        self._context = context
        self._table = table
        self._row = row
        self._decode = RowDecoder(row)
        self._size = size
        self._rows: OrderedDict[bytes, R] = OrderedDict()
        #: Rows that were put in this batch, with the timestamps of their last messages.
        self._put: dict[bytes, tuple[Task, R, int]] = {}

    def get(self, task: Task, key: bytes) -> R:
        """The row, or a new one. The caller may change it in place and must then `put` it.

        Raises UnknownRow.
        """
        row = self._rows.get(key)
        if row is not None:
            self._rows.move_to_end(key)
            return row
        put = self._put.get(key)
        if put is not None:
            # It was forgotten within the batch: a small cache, and many keys.
            return put[1]
        data = self._context.row(task, self._table, key)
        row = self._row() if data is None else self._decode(data)
        self._rows[key] = row
        if len(self._rows) > self._size:
            self._rows.popitem(last=False)
        return row

    def items(self, task: Task) -> Iterator[tuple[bytes, R]]:
        """All rows of a task, and maybe of others, decoded for the caller. Raises UnknownRow."""
        self.write()
        for key, data in self._context.items(task, self._table):
            yield key, self._decode(data)

    def put(self, task: Task, key: bytes, row: R, timestamp_ms: int) -> None:
        """Have the row written into the table and its changelog at the end of the batch."""
        self._put[key] = (task, row, timestamp_ms)
        if key in self._rows:
            self._rows[key] = row

    def write(self) -> None:
        """Called by the engine at the end of each batch: encode and write what was put in it."""
        if not self._put:
            return
        put, self._put = self._put, {}
        for key, (task, row, timestamp_ms) in put.items():
            self._context.put(task, self._table, key, encode_row(row), timestamp_ms)

    def drop(self, task: Task, key: bytes, timestamp_ms: int) -> None:
        """Delete a row from the table, with a tombstone in its changelog."""
        self._rows.pop(key, None)
        self._put.pop(key, None)
        if self._context.row(task, self._table, key) is not None:
            self._context.put(task, self._table, key, None, timestamp_ms)

    def forget(self) -> None:
        """Forget decoded rows: the tasks of this process have changed. Not within a batch."""
        self._rows.clear()
        self._put.clear()
