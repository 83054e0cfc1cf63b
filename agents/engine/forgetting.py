"""Rebuilds begin here: a decision forgets its rows in a task, then it is filled."""

import asyncio
import logging

from agents.engine.fills import TABLE, Fill, Fills, place_of
from agents.engine.past import Past
from agents.engine.slices import Slices
from streams.context import Task
from streams.log import Partition
from streams.topics import changelog_of
from tables.rows import RowDecoder

logger = logging.getLogger(__name__)

_LOOK_S = 0.02
_fills = RowDecoder(Fills)


class Forgetting:
    def __init__(self, slices: Slices) -> None:
        self._slices = slices

    async def begin(self, past: Past, task: Task, wanted_ms: int) -> None:
        """Begin the rebuild that was asked for then, unless it was begun before."""
        if not wanted_ms or past.gate.fill(task, past.name).rebuild_ms >= wanted_ms:
            return
        at = self._changelog(TABLE.name, task)
        end = (await self._slices.bounds(at)).next
        if task not in self._slices.context.owned():
            return
        past.gate.restart(task, past.name, wanted_ms)
        logger.info("rebuild_began", extra={"decision": past.name, "task": task})
        # Rows that the decision put before are in its changelogs once this is in its own.
        while self._slices.is_behind(past, task):
            if await self._is_begun(past, at, end, wanted_ms):
                return
            await asyncio.sleep(_LOOK_S)

    async def step(self, past: Past, task: Task, fill: Fill) -> None:
        """Delete all rows that the decision has in this task. A crash begins that again."""
        for table, rows in past.rows.items():
            at = self._changelog(table, task)
            bounds = await self._slices.bounds(at)
            offset = bounds.first
            while offset < bounds.next:
                records = await self._slices.read(at, offset)
                if not self._slices.is_at(past, task, fill):
                    return
                if not records:
                    break
                for record in records:
                    if record.key is not None:
                        rows.drop(task, record.key, record.timestamp_ms)
                offset = records[-1].offset + 1
                await self._slices.pause(past, task, 0)
        if self._slices.is_at(past, task, fill):
            past.forgotten(task)

    async def _is_begun(self, past: Past, at: Partition, offset: int, wanted_ms: int) -> bool:
        """Whether the log has it that a rebuild was begun, at `offset` or after."""
        records = await self._slices.read(at, offset)
        rows = [_fills(record.value) for record in records if record.value]
        place = place_of(past.name, past.topic)
        return any(row.fills[place].rebuild_ms >= wanted_ms for row in rows)

    def _changelog(self, table: str, task: Task) -> Partition:
        return Partition(changelog_of(self._slices.group, table).name, task)
