"""Retention removes old batches, by the time of their append and by the size of a partition.

Event time does not count: a recording of last year that is replayed today stays as long as
everything else appended today.
"""

from collections.abc import Iterator

import msgspec

from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.partition import PartitionState

#: The largest number of batches that one step examines.
_STEP_BATCHES = 256
#: From this number on, one range delete is cheaper than single deletes, although it slows readers.
_RANGE = 100


class _Expired:
    """The expired batches at the front of a partition."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.size = 0


def trim(database: Database, state: PartitionState, now_ms: int) -> Iterator[None]:
    """Removes batches beyond the topic's retention. Runs on the writer's thread.

    Yields between steps; other writes may happen there. Raises LogError. After NoSpace the next
    call repeats the step that failed.
    """
    topic = state.topic.row
    if topic.retention_ms is None and topic.retention_bytes is None:
        return
    while (expired := _expired(database, state, now_ms)).keys:
        _remove(database, state, expired)
        yield


def _expired(database: Database, state: PartitionState, now_ms: int) -> _Expired:
    found = _Expired()
    lower, upper = rows.batch_keys(state.topic.id, state.number, state.row.first)
    for key, batch in database.scan(lower, upper):
        left = state.row.size_bytes - found.size - len(batch)
        if not _over(state.topic.row, rows.batch_head(batch), left, now_ms):
            break
        found.keys.append(key)
        found.size += len(batch)
        if len(found.keys) >= _STEP_BATCHES:
            break
    return found


def _over(topic: rows.TopicRow, head: rows.BatchHead, left: int, now_ms: int) -> bool:
    """Whether a batch has expired, if `left` bytes follow it."""
    if topic.retention_ms is not None and head.appended_at_ms < now_ms - topic.retention_ms:
        return True
    return topic.retention_bytes is not None and left >= topic.retention_bytes


def _remove(database: Database, state: PartitionState, expired: _Expired) -> None:
    row = state.row
    left = msgspec.structs.replace(
        row,
        first=rows.last_offset(expired.keys[-1]) + 1,
        size_bytes=row.size_bytes - expired.size,
        clean_bytes=max(row.clean_bytes - expired.size, 0),
    )
    # Before the removal: a reader that misses the batches must see the new bound.
    state.first = left.first
    write = Write()
    if len(expired.keys) < _RANGE:
        for key in expired.keys:
            write.delete(key)
    else:
        write.delete_range(expired.keys[0], expired.keys[-1] + b"\0")
    key = rows.partition_key(state.topic.id, state.number)
    write.put(key, rows.seal_struct(key, left))
    database.write(write, durable=False)
    # After the write: a write that failed for lack of space is repeated.
    row.first, row.size_bytes, row.clean_bytes = left.first, left.size_bytes, left.clean_bytes
