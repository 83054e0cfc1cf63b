"""Decoded rows in front of a Faust table of bytes, so that a hot row is not decoded each time.

A row is folded in place and then written back: in between, the cache and the table differ, which
is why an unknown error ends the process.
"""

from collections import OrderedDict
from typing import Generic

from faust.types import EventT

from streams.driver.desk import Desk
from tables.rows import R, RowDecoder


class RowCache(Generic[R]):
    """The rows of one table. The oldest used are forgotten first.

    A key is of one partition only, as keys are that begin with what messages are keyed by.
    """

    def __init__(self, desk: Desk, table: str, row: type[R], size: int) -> None:
        self._desk = desk
        self._table = table
        self._row = row
        self._decode = RowDecoder(row)
        self._size = size
        self._rows: OrderedDict[bytes, R] = OrderedDict()

    def get(self, event: EventT[bytes], key: bytes) -> R:
        """The row, made when it is new. Raises UnknownRow."""
        row = self._rows.get(key)
        if row is not None:
            self._rows.move_to_end(key)
            return row
        data = self._desk.row(event.message.partition, self._table, key)
        row = self._row() if data is None else self._decode(data)
        self._rows[key] = row
        if len(self._rows) > self._size:
            self._rows.popitem(last=False)
        return row

    def write(self, event: EventT[bytes], key: bytes, data: bytes) -> None:
        """An encoded row to the table and its changelog, in the partition of the event."""
        self._put(event, key, data)

    def drop(self, event: EventT[bytes], key: bytes) -> None:
        """Out of the table, with a tombstone in its changelog."""
        self._rows.pop(key, None)
        if self._desk.row(event.message.partition, self._table, key) is not None:
            self._put(event, key, None)

    def forget(self) -> None:
        """Forget decoded rows: the partitions of this process have changed."""
        self._rows.clear()

    def _put(self, event: EventT[bytes], key: bytes, data: bytes | None) -> None:
        message = event.message
        timestamp_ms = round(message.timestamp * 1000)
        self._desk.put(message.partition, self._table, key, data, timestamp_ms)
