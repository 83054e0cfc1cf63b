"""Reads a batch that was begun and not finished from the log again."""

from agents.history.batch import HistoryBatch, Keeping
from streams.log import Batch, Log, OffsetRange, OffsetRanges, OffsetTooOld, Partition

_AT_ONCE = 500


async def batch_of(
    log: Log,
    ranges: OffsetRanges,
    keeping: Keeping | None = None,
) -> HistoryBatch:
    """The batch as it was begun, without records that retention has removed since."""
    batch = HistoryBatch(keeping)
    for partition, range_ in sorted(ranges.items()):
        await _take(batch, log, partition, range_)
    return batch


async def _take(batch: HistoryBatch, log: Log, partition: Partition, range_: OffsetRange) -> None:
    offset = range_.first
    while offset < range_.next:
        try:
            records = await log.read(partition, offset, min(_AT_ONCE, range_.next - offset))
        except OffsetTooOld as gap:
            offset = gap.floor
            continue
        within = [record for record in records if record.offset < range_.next]
        if not within:
            break
        batch.take(Batch(partition, within))
        offset = within[-1].offset + 1
