"""Reads the present records of a partition between two offsets; not for following a log."""

from collections.abc import AsyncIterator, Sequence

from streams.log import Bounds, Log, OffsetTooOld, Partition, Record


async def read_between(
    log: Log, partition: Partition, bounds: Bounds, at_once: int
) -> AsyncIterator[Sequence[Record]]:
    """The records of [first, next), in batches; without those that retention removes meanwhile.

    Raises LogError.
    """
    offset = bounds.first
    while offset < bounds.next:
        try:
            records = await log.read(partition, offset, min(at_once, bounds.next - offset))
        except OffsetTooOld as error:
            offset = error.floor
            continue
        if not records:
            return
        yield records
        offset = records[-1].offset + 1
