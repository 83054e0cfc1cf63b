"""What every part of a fill stands on: the log, whether its task is still here, and pauses."""

import asyncio
from collections.abc import Sequence

from agents.engine.fills import Fill
from agents.engine.past import Past
from streams.context import ProcessorContext, Task
from streams.log import Bounds, Log, OffsetTooOld, Partition, Record

#: Records read at once, and folded in one slice.
READ = 500
SLICE = 32
#: While messages come in, a slice is followed by a pause so many times as long.
_SHARE = 4
#: How often it is looked whether there is room again.
_ROOM_S = 0.02


class Slices:
    """What was known of a task before an await is to be checked after it, by `is_at`."""

    def __init__(self, context: ProcessorContext, group: str, log: Log, at_once: int) -> None:
        """`group` names the changelogs; so many records are read `at_once`."""
        self.context = context
        self.group = group
        self.log = log
        self._at_once = at_once

    def is_behind(self, past: Past, task: Task) -> bool:
        """Whether the decision is to be filled, here and now."""
        return task in self.context.owned() and past.name in past.gate.behind(task)

    def is_at(self, past: Past, task: Task, fill: Fill) -> bool:
        """Whether `fill` is still what the task waits for.

        If not, the task was lost since; another owner may have gone on with it.
        """
        return self.is_behind(past, task) and past.gate.fill(task, past.name) is fill

    async def bounds(self, at: Partition) -> Bounds:
        """Nothing of a topic that has fewer partitions than there are tasks."""
        return (await self.log.bounds(at.topic)).get(at, Bounds(0, 0))

    async def read(self, at: Partition, offset: int) -> Sequence[Record]:
        """From an offset on, or from the first that is left."""
        while True:
            try:
                return await self.log.read(at, offset, self._at_once)
            except OffsetTooOld as error:
                offset = error.floor

    async def pause(self, past: Past, task: Task, took_s: float) -> None:
        """Let others work; longer while there is something for them, or no room for more."""
        before = past.gate.reached(task)
        await asyncio.sleep(0)
        if past.gate.reached(task) != before:
            await asyncio.sleep(took_s * _SHARE)
        while task in self.context.owned() and not self.context.has_room(task):  # noqa: ASYNC110
            await asyncio.sleep(_ROOM_S)
