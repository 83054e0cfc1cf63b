"""Waiting for decisions that are filled in a real app."""

import asyncio

from agents.engine.fills import TABLE, Fill, Fills
from streams.log import Log
from streams.topics import AGENTS, changelog_of
from tables.rows import RowDecoder

PATIENCE_S = 60.0


async def fills(log: Log, group: str = AGENTS) -> dict[int, dict[str, Fill]]:
    """How far the decisions of each task are, as committed."""
    found: dict[int, dict[str, Fill]] = {}
    for partition, bounds in (await log.bounds(changelog_of(group, TABLE.name).name)).items():
        offset = bounds.first
        while offset < bounds.next:
            records = await log.read(partition, offset, 1000)
            for record in records:
                assert record.value is not None
                found[partition.number] = RowDecoder(Fills)(record.value).fills
            offset = records[-1].offset + 1
    return found


async def until_live(
    log: Log, decision: str, tasks: int, group: str = AGENTS, *, rebuild_ms: int = 0
) -> None:
    """Returns when the decision is live in all tasks, after a rebuild that was asked for then."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            rows = (await fills(log, group)).values()
            name = f"{decision}@"
            found = [fill for of in rows for place, fill in of.items() if place.startswith(name)]
            if len(found) == tasks and all(
                fill.state == "live" and fill.rebuild_ms >= rebuild_ms for fill in found
            ):
                return
            await asyncio.sleep(0.02)
