"""Decoded rows in front of a Faust table of bytes, so that a hot row is not decoded each time.

A row is folded in place and then written back: in between, the cache and the table differ, which
is why an unknown error ends the process.
"""

from collections import OrderedDict
from typing import Generic

from faust.types import EventT

from agents.sending import Table, Writer
from tables.rows import R, RowDecoder


class RowCache(Generic[R]):
    """The rows of one table. The oldest used are forgotten first."""

    def __init__(self, table: Table, write: Writer, row: type[R], size: int) -> None:
        self._table = table
        self._write = write
        self._row = row
        self._decode = RowDecoder(row)
        self._size = size
        self._rows: OrderedDict[bytes, R] = OrderedDict()

    def get(self, key: bytes) -> R:
        """The row, made when it is new. Raises UnknownRow."""
        row = self._rows.get(key)
        if row is not None:
            self._rows.move_to_end(key)
            return row
        data = self._table.data.get(key)
        row = self._row() if data is None else self._decode(data)
        self._rows[key] = row
        if len(self._rows) > self._size:
            self._rows.popitem(last=False)
        return row

    def write(self, event: EventT[bytes], key: bytes, data: bytes) -> None:
        """An encoded row to the table and its changelog, in the partition of the event."""
        self._write(event, key, data)

    def drop(self, event: EventT[bytes], key: bytes) -> None:
        """Out of the table, with a tombstone in its changelog."""
        self._rows.pop(key, None)
        if key in self._table.data:
            self._write(event, key, None)

    def forget(self) -> None:
        """Forget decoded rows: the partitions of this process have changed."""
        self._rows.clear()
