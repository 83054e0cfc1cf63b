"""Compaction keeps the newest record of every key and removes tombstones after a grace period.

Offsets do not change. The last record of a partition always stays, because Faust's recovery waits
until it has read that far. A pass repeats only after as many bytes were appended as the last pass
left, so the work is proportional to the bytes appended, and the bytes that a start reads to the
number of keys.
"""

from collections.abc import Iterator

from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.partition import PartitionState
from streams.embedded.settings import Settings
from streams.log import LogError, Record

#: The bytes of batches that one step reads.
_STEP_BYTES = 64 << 10
#: The memory limit of the table of newest offsets; a larger partition needs several passes.
_KEYS_BYTES = 32 << 20
_KEY_OVERHEAD = 150


class Compaction:
    """One pass over one partition, on the writer's thread. Construct, then `run` once."""

    def __init__(
        self, database: Database, state: PartitionState, settings: Settings, now_ms: int
    ) -> None:
        self._database = database
        self._state = state
        self._row = state.row
        grace_ms = 0 if state.topic.changelog else settings.tombstone_grace_ms
        self._seen_by_ms = now_ms - grace_ms
        self._newest: dict[bytes, int] = {}
        #: This pass does not touch offsets from here on.
        self._end = state.row.next

    def run(self) -> Iterator[None]:
        """Yields between steps; other writes may happen there. Raises LogError.

        A crash between steps leaves a partly compacted log with the same newest records.
        """
        yield from self._survey()
        clean_bytes = 0
        for window in self._windows(self._row.first, self._end):
            clean_bytes += self._compact(window)
            yield
        self._row.clean_to = self._end
        self._row.clean_bytes = clean_bytes
        self._write(Write())

    def _survey(self) -> Iterator[None]:
        """Collects the newest offset of every key appended since the last pass.

        Ends this pass early when the table is full.
        """
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
        """Rewrites `window` without its obsolete records; returns the bytes left."""
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
        """Consecutive batches below `end`, about `_STEP_BYTES` at a time."""
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


#: The keys, records and rows of consecutive batches.
_Window = list[tuple[bytes, list[Record], bytes]]


def due(state: PartitionState, settings: Settings) -> bool:
    """Whether a pass is worth its work.

    It is once the bytes appended since the last pass reach the bytes that it left, and at least
    `dirty_bytes`.
    """
    if not state.topic.compacted:
        return False
    row = state.row
    dirty = row.size_bytes - row.clean_bytes
    return row.clean_to < row.next and dirty >= max(row.clean_bytes, settings.dirty_bytes)
