"""One batch of history: ranges of the log, and the rows made of them. Pure."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from zlib import crc32

from agents.engine.reasons import Rejected
from agents.history.positions import reads
from agents.updates.check import read_event
from clickhouse.history import Insert
from clickhouse.rows import ObservedRows
from clickhouse.upserts import DecidedRows, tables_of
from streams.analytics import Decision, LateSamples
from streams.codec import BroadcastFound, Selection, Undecodable
from streams.events import samples_of
from streams.ids import ChannelId
from streams.kinds import KINDS
from streams.known import Kinds
from streams.log import Batch, OffsetRange, OffsetRanges, Offsets, Partition, Record
from streams.topics import UPDATES

MOST_PARTITIONS = 128


class _Range:
    """Consecutive offsets of one partition, and a checksum of their records."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.next = first
        self.checksum = 0

    def take(self, record: Record) -> None:
        self.next = record.offset + 1
        self.checksum = crc32(record.value or b"", self.checksum)


class Keeping:
    """How the kinds that a process knows are stored; the same for all batches."""

    def __init__(self, kinds: Kinds = KINDS) -> None:
        self.kinds = kinds
        self.topics = tuple(topic.name for topic in reads(kinds))
        self.tables = tables_of(kinds)
        self.selection = Selection[Decision](*self.tables, kinds=kinds)


class HistoryBatch:
    """The same ranges of the same log always make the same rows under the same token."""

    def __init__(self, keeping: Keeping | None = None) -> None:
        """`keeping` is that of the program's own kinds unless it is given."""
        self._keeping = keeping or Keeping()
        #: Messages that are not in history, by reason.
        self.dropped: Counter[str] = Counter()
        #: Unreadable messages: the last one of each kind or reason.
        self.unread: dict[str, Undecodable] = {}
        self.messages = 0
        #: Posts whose counters the batch contains.
        self.samples = 0
        #: The time of its first observation; None without observations.
        self.since_ms: int | None = None
        self._ranges: dict[Partition, _Range] = {}
        # Separate, and joined in the order of the partitions: a repeated batch reads them in
        # another order, and ClickHouse recognises a repeated block of a roll-up by its rows.
        self._observed: dict[Partition, ObservedRows] = {}
        self._decided: dict[Partition, DecidedRows] = {}

    def take(self, batch: Batch) -> None:
        """Add records. They must follow those added before of the same partition."""
        range_ = self._ranges.setdefault(batch.partition, _Range(batch.records[0].offset))
        observed = batch.partition.topic == UPDATES.name
        take = self._into(batch.partition)
        if observed:
            first_ms = batch.records[0].timestamp_ms
            self.since_ms = first_ms if self.since_ms is None else min(self.since_ms, first_ms)
        for record in batch.records:
            range_.take(record)
            if record.value is not None:
                take(record)
        self.messages += len(batch.records)

    def __len__(self) -> int:
        """The number of rows of all tables."""
        return sum(map(len, self._observed.values())) + sum(map(len, self._decided.values()))

    @property
    def ranges(self) -> OffsetRanges:
        return {each: OffsetRange(taken.first, taken.next) for each, taken in self._ranges.items()}

    @property
    def full(self) -> bool:
        """Whether it has the largest number of partitions that a begun batch may have."""
        return len(self._ranges) >= MOST_PARTITIONS

    @property
    def ends(self) -> Offsets:
        return {partition: range_.next for partition, range_ in self._ranges.items()}

    @functools.cached_property
    def token(self) -> str:
        """Identifies the ranges and their records. Read it after the last `take`."""
        ranges = sorted(
            (*partition, range_.first, range_.next, range_.checksum)
            for partition, range_ in self._ranges.items()
        )
        return blake2b(repr(ranges).encode(), digest_size=16).hexdigest()

    @property
    def number(self) -> int:
        """The token as a number of 64 bits; 0 for an empty batch."""
        return int(self.token[:16], 16) if self._ranges else 0

    def drop_closed(self, marks: Mapping[ChannelId, int]) -> int:
        return sum(rows.drop_closed(marks) for rows in self._decided.values())

    def closed_marks(self) -> Mapping[ChannelId, int]:
        marks: dict[ChannelId, int] = {}
        for rows in self._decided.values():
            marks.update(rows.closed_marks())
        return marks

    @property
    def late(self) -> Sequence[LateSamples]:
        """Late samples, which agents could not book (see agents.history.recompute)."""
        return [late for rows in self._decided.values() for late in rows.late]

    def inserts(self) -> Sequence[Insert]:
        """One insert per table: the same rows in the same order whenever the batch is read."""
        observed = [rows.inserts(self.token) for _, rows in sorted(self._observed.items())]
        decided = [
            rows.inserts(self.token, self.number) for _, rows in sorted(self._decided.items())
        ]
        return _joined(insert for inserts in (*observed, *decided) for insert in inserts)

    def _into(self, partition: Partition) -> Callable[[Record], None]:
        if partition.topic == UPDATES.name:
            observed = self._observed.setdefault(partition, ObservedRows())
            return functools.partial(self._take_event, observed)
        decided = self._decided.setdefault(partition, DecidedRows(self._keeping.tables))
        return functools.partial(self._take_decision, decided)

    def _take_event(self, rows: ObservedRows, record: Record) -> None:
        """Skips what became a dead letter: the updates agent reads with the same checks."""
        try:
            event, refused = read_event(record)
        except BroadcastFound:
            return
        except Rejected as rejected:
            self.dropped[rejected.reason] += 1
            return
        rows.take(event)
        self.samples += samples_of(event)
        for part in refused:
            self.dropped[part.reason] += 1

    def _take_decision(self, rows: DecidedRows, record: Record) -> None:
        try:
            message = self._keeping.selection.decode(record.value or b"")
        except Undecodable as error:
            self.dropped[error.reason] += 1
            self.unread[error.what] = error
            return
        if message is not None:
            rows.take(message)


def _joined(inserts: Iterable[Insert]) -> list[Insert]:
    """One insert per table, with the rows of all."""
    tables: dict[str, dict[str, list[Any]]] = {}
    token = ""
    for insert in inserts:
        token = insert.token
        columns = tables.setdefault(insert.table, {name: [] for name in insert.columns})
        for name, values in insert.columns.items():
            columns[name].extend(values)
    return [Insert(table, token, columns) for table, columns in tables.items()]
