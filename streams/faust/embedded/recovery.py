"""Fills tables from their changelogs, in batches.

Faust's recovery passes every row through the conductor, a queue and a timer. This fills the tables
directly, when Faust seeks to the start of its recovery; Faust then finds nothing left to recover
and continues.
"""

import asyncio
from typing import Any

from faust.types import TP, AppT

from streams.embedded.engine import Engine
from streams.embedded.partition import PartitionState
from streams.faust.message import message_of

_BATCH = 1_000


async def restore(app: AppT, engine: Engine, state: PartitionState) -> int:
    """Applies the new records of a changelog's partition to its table.

    Returns the offset after the last applied record. Raises LogDamaged.
    """
    tp = TP(*state.partition)
    tables: Any = app.tables
    table = tables._changelogs[tp.topic]
    decode = tables._channels[table].decode
    restored = tables.recovery.active_offsets
    end = engine.end(state)
    while (position := max(restored[tp] + 1, state.first)) < end:
        records = engine.read(state, position, _BATCH)
        events = []
        for record in records:
            message = message_of(tp, record, app.consumer_generation_id)
            event = await decode(message, propagate=True)
            await table.on_changelog_event(event)
            events.append(event)
        table.apply_changelog_batch(events)
        restored[tp] = records[-1].offset
        await asyncio.sleep(0)
    return max(end, state.first)
