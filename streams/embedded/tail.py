"""The newest records of every partition, in memory, for readers near the end."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from operator import attrgetter

from streams.log import Partition, Record

_offset = attrgetter("offset")
#: Memory per record, in addition to its key and value.
_OVERHEAD = 200


def size_of(key: bytes | None, value: bytes | None) -> int:
    """The approximate memory of a record, in bytes."""
    return _OVERHEAD + len(key or b"") + len(value or b"")


class Tail:
    """Bounded by `limit_bytes` over all partitions; drops the oldest batches of any partition.

    The newest batch always stays, however large. Called from one event loop only.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._runs: dict[Partition, _Run] = {}
        self._order: deque[tuple[_Run, int]] = deque()

    def add(self, partition: Partition, records: list[Record]) -> None:
        """Called once per durable batch. `records` directly follow those added before."""
        size = sum(size_of(record.key, record.value) for record in records)
        run = self._runs.setdefault(partition, _Run())
        run.append(records)
        self._order.append((run, size))
        self._size += size
        while self._size > self._limit and len(self._order) > 1:
            oldest, gone = self._order.popleft()
            oldest.pop()
            self._size -= gone

    def forget(self, partition: Partition) -> None:
        """Called after compaction: the partition may have fewer records than the tail has.

        The next read of the partition gets its records from the database.
        """
        self._runs.pop(partition, None)

    def read(self, partition: Partition, offset: int, max_records: int) -> Sequence[Record] | None:
        """Records from `offset` on, at most `max_records`; None if `offset` is below the tail."""
        run = self._runs.get(partition)
        return run.read(offset, max_records) if run else None


class _Run:
    """Consecutive batches of one partition, searchable by offset."""

    __slots__ = ("_batches", "_gone", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._batches: list[list[Record]] = []
        #: The number of dropped entries at the front; the lists are shortened from time to time.
        self._gone = 0

    def append(self, records: list[Record]) -> None:
        self._starts.append(records[0].offset)
        self._batches.append(records)

    def pop(self) -> None:
        self._batches[self._gone] = []
        self._gone += 1
        if self._gone > 512 and self._gone * 2 > len(self._batches):
            del self._starts[: self._gone], self._batches[: self._gone]
            self._gone = 0

    def read(self, offset: int, max_records: int) -> Sequence[Record] | None:
        at = bisect_right(self._starts, offset) - 1
        if at < self._gone:
            return None
        first = self._batches[at]
        found = first[bisect_left(first, offset, key=_offset) :][:max_records]
        while len(found) < max_records and (at := at + 1) < len(self._batches):
            found.extend(self._batches[at][: max_records - len(found)])
        return found
