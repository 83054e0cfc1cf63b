"""Compaction: of every key the newest record stays, and tombstones go once they have been seen.

Offsets do not change. The last record of a partition stays whatever it is, because Faust's
recovery waits until it has read that far. What is compacted once is only looked at again when as
much has been appended since, so the work is proportional to what is appended, and what a start
has to read to the number of keys.
"""

from collections.abc import Iterator

from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.partition import PartitionState
from streams.embedded.settings import Settings
from streams.log import LogError, Record

#: What one step reads, in bytes of batches.
_STEP_BYTES = 64 << 10
#: What the table of newest offsets may take; a larger partition needs several passes.
_KEYS_BYTES = 32 << 20
_KEY_OVERHEAD = 150


class Compaction:
    """One pass over one partition. `run` yields between steps, on the writer's thread."""

    def __init__(
        self, database: Database, state: PartitionState, settings: Settings, now_ms: int
    ) -> None:
        self._database = database
        self._state = state
        self._row = state.row
        grace_ms = 0 if state.topic.changelog else settings.tombstone_grace_ms
        self._seen_by_ms = now_ms - grace_ms
        self._newest: dict[bytes, int] = {}
        #: Offsets from here on are not touched in this pass.
        self._end = state.row.next

    def run(self) -> Iterator[None]:
        """A crash in between leaves a log with the same newest records, partly compacted."""
        yield from self._survey()
        clean_bytes = 0
        for window in self._windows(self._row.first, self._end):
            clean_bytes += self._compact(window)
            yield
        self._row.clean_to = self._end
        self._row.clean_bytes = clean_bytes
        self._write(Write())

    def _survey(self) -> Iterator[None]:
        """The newest offset of every key that came since the last pass, while there is room."""
        size = 0
        for window in self._windows(max(self._row.clean_to, self._row.first), self._end):
            for _, records, _ in window:
                for record in records:
                    if record.key is not None and record.offset < self._end:
                        if record.key not in self._newest:
                            size += len(record.key) + _KEY_OVERHEAD
                        self._newest[record.key] = record.offset
            if size > _KEYS_BYTES:
                self._end = window[-1][1][-1].offset + 1
                return
            yield

    def _compact(self, window: "_Window") -> int:
        """Writes what stays of `window`, and returns how many bytes that is."""
        kept: list[Record] = []
        total = size = 0
        for _, records, batch in window:
            head = rows.batch_head(batch)
            total += len(records)
            size += len(batch)
            seen = head.appended_at_ms <= self._seen_by_ms
            kept.extend(record for record in records if self._stays(record, tombstones=not seen))
        batches = list(rows.batches(kept))
        if len(kept) == total and len(window) <= 2 * len(batches):
            return size
        appended_at_ms = max(rows.batch_head(batch).appended_at_ms for _, _, batch in window)
        write = Write()
        for key, _, _ in window:
            write.delete(key)
        written = 0
        for batch_records in batches:
            key = rows.batch_key(self._state.topic.id, self._state.number, batch_records[-1].offset)
            batch = rows.seal_batch(key, batch_records, appended_at_ms)
            write.put(key, batch)
            written += len(batch)
        self._row.size_bytes += written - size
        try:
            self._write(write)
        except LogError:
            self._row.size_bytes -= written - size
            raise
        return written

    def _stays(self, record: Record, *, tombstones: bool) -> bool:
        if record.key is None or record.offset >= self._end - 1:
            return True
        if self._newest.get(record.key, record.offset) > record.offset:
            return False
        return record.value is not None or tombstones

    def _write(self, write: Write) -> None:
        key = rows.partition_key(self._state.topic.id, self._state.number)
        write.put(key, rows.seal_struct(key, self._row))
        self._database.write(write, durable=False)

    def _windows(self, start: int, end: int) -> "Iterator[_Window]":
        """Consecutive batches that lie below `end`, some at a time."""
        position = start
        while window := self._window(position, end):
            position = window[-1][1][-1].offset + 1
            yield window

    def _window(self, position: int, end: int) -> "_Window":
        window: _Window = []
        size = 0
        lower, upper = rows.batch_keys(self._state.topic.id, self._state.number, position)
        for key, batch in self._database.scan(lower, upper):
            if rows.last_offset(key) >= end or size >= _STEP_BYTES:
                break
            window.append((key, rows.unseal_batch(key, batch), batch))
            size += len(batch)
        return window


#: Key, records and row of consecutive batches.
_Window = list[tuple[bytes, list[Record], bytes]]


def due(state: PartitionState, settings: Settings) -> bool:
    """Whether as much came since the last pass as was left by it, and it is worth the work."""
    if not state.topic.compacted:
        return False
    row = state.row
    dirty = row.size_bytes - row.clean_bytes
    return row.clean_to < row.next and dirty >= max(row.clean_bytes, settings.dirty_bytes)
