"""A batch that was begun and not finished, read from the log once more."""

from agents.history.batch import HistoryBatch
from streams.clock import Clock
from streams.log import Batch, Log, OffsetTooOld, Partition, Span, Spans

_AT_ONCE = 500


async def batch_of(log: Log, spans: Spans, clock: Clock | None = None) -> HistoryBatch:
    """The same as when it was begun, but for what retention has removed since."""
    batch = HistoryBatch(clock)
    for partition, span in sorted(spans.items()):
        await _take(batch, log, partition, span)
    return batch


async def _take(batch: HistoryBatch, log: Log, partition: Partition, span: Span) -> None:
    offset = span.first
    while offset < span.next:
        try:
            records = await log.read(partition, offset, min(_AT_ONCE, span.next - offset))
        except OffsetTooOld as gap:
            offset = gap.floor
            continue
        within = [record for record in records if record.offset < span.next]
        if not within:
            break
        batch.take(Batch(partition, within))
        offset = within[-1].offset + 1
