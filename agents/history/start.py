"""Where the history writer begins to read its partitions, and what is lost.

The committed position is only a claim; history knows what it holds (pending.py), and the log what
it still has. Each of the three may have been lost, or be an older copy.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from agents.history.pending import Held, removed_unread
from clickhouse.history import Insert
from streams.log import Assignment, Bounds, Log, Offsets, Partition
from streams.metrics import Metrics

_logger = logging.getLogger(__name__)


class Start(msgspec.Struct):
    positions: dict[Partition, int]
    #: Committed positions of partitions that are read again because history is behind them.
    lost: dict[Partition, int]
    #: Inserts that record messages which the log removed before history stored them.
    gaps: list[Insert]

    def missing(self, now_at: Offsets) -> int:
        """The number of messages that were committed and are not in history yet."""
        return sum(max(end - now_at.get(each, end), 0) for each, end in self.lost.items())


async def started(
    log: Log, topics: Sequence[str], assignment: Assignment, held: Held, metrics: Metrics
) -> Start:
    """Start at the lower of history's end and the committed offset, else at the first record kept.

    Logs and counts every inconsistency that it finds. Raises what the log raises.
    """
    start, behind = Start({}, {}, []), 0
    for topic in topics:
        for partition, bounds in (await log.bounds(topic)).items():
            if partition in assignment.partitions:
                committed = assignment.committed.get(partition, bounds.first)
                position = held.start(partition, committed)
                if position < committed:
                    start.lost[partition] = committed
                    behind += committed - position
                if ahead := held.ahead(partition, bounds.next):
                    extra = {**_named(partition), "messages": ahead}
                    _logger.warning("history_ahead_of_log", extra=extra)
                if position < bounds.first:
                    start.gaps.append(await _skip(log, partition, position, bounds, metrics))
                start.positions[partition] = max(position, bounds.first)
    if behind:
        metrics.error("history", "behind_log")
        extra = {"messages": behind, "partitions": len(start.lost)}
        _logger.error("history_behind_log", extra=extra)
    return start


async def _skip(
    log: Log, partition: Partition, position: int, bounds: Bounds, metrics: Metrics
) -> Insert:
    """Log and count the records that retention removed before history stored them."""
    kept = await log.read(partition, bounds.first, 1)
    before_ms = kept[0].timestamp_ms if kept else 0
    lost = bounds.first - position
    metrics.dropped("history", "removed_by_retention", lost)
    before = datetime.fromtimestamp(before_ms / 1000, UTC).isoformat() if kept else "now"
    extra = {**_named(partition), "messages": lost, "before": before}
    _logger.error("history_gap", extra=extra)
    return removed_unread(partition, position, bounds.first, before_ms)


def _named(partition: Partition) -> dict[str, object]:
    return {"topic": partition.topic, "partition": partition.number}
