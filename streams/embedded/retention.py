"""Retention: old batches go, by the time when they were appended and by the size of a partition.

Not by event time: a recording of last year that is played into the log is kept as long as
everything else that comes in today.
"""

from collections.abc import Iterator

import msgspec

from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.partition import PartitionState

#: Batches looked at in one step.
_STEP_BATCHES = 256
#: From so many on, one deleted range is cheaper than single deletes (ranges slow readers down).
_RANGE = 100


class _Expired:
    """The batches at the front of a partition that are to go."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.size = 0


def trim(database: Database, state: PartitionState, now_ms: int) -> Iterator[None]:
    """Removes what is over the topic's bounds. Yields between steps, on the writer's thread."""
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
    """Whether a batch is to go that leaves `left` bytes behind it."""
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
    # Before the batches go: a reader that finds them gone must find this as well.
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
    # Only now: where there was no room for that, it is done again.
    row.first, row.size_bytes, row.clean_bytes = left.first, left.size_bytes, left.clean_bytes
