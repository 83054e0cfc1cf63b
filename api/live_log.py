"""The records of analytics.*, as live socket and taps read them."""

from collections.abc import AsyncGenerator, Mapping
from typing import cast

from api.cursor import Position
from streams.known import Kinds
from streams.log import Batch, Log, Partition


def follow(log: Log, start: Mapping[Partition, int], kinds: Kinds) -> AsyncGenerator[Batch, None]:
    """All topics of these kinds, from `start` on. Close it to end it."""
    return cast("AsyncGenerator[Batch, None]", log.subscribe(kinds.topic_names, start))


async def is_of_log(log: Log, partition: Partition, position: Position) -> bool:
    """Whether a position was taken in this log, and not in one that was deleted since."""
    if position.before_ms is None:
        return True
    if position.next == 0:
        return False
    before = await log.read(partition, position.next - 1, 1)
    return bool(before) and before[0].timestamp_ms == position.before_ms
