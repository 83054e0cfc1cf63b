"""The clock's only way into decisions: ticks that the owner of a task appends to its partition.

A tick is appended only while a timer of the task is due by the clock. So a pipeline without timers
has none, and neither has one whose timers wait: a timer that is due fires within a few seconds of
the clock's, though nothing is observed. It is committed like an output of the task, so a worker
that has lost the task appends none.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence

from agents.engine.sending import Sender, Spread
from agents.engine.timers import Timers
from streams.broadcasts import Tick
from streams.clock import Clock
from streams.codec import encode
from streams.context import Task


class Ticker:
    """An effect at the engine's edge; what it leads to is decided by the log."""

    def __init__(
        self,
        tasks: Callable[[], Collection[Task]],
        timers: Sequence[Timers],
        roots: Sequence[Sender],
        clock: Clock,
        keyed: Sequence[Timers] = (),
        spreads: Sequence[Spread] = (),
    ) -> None:
        """`tasks` of this process that are up to date; `roots` send to where broadcasts begin, and
        `spreads` to every partition there, for `keyed` of the timers."""
        self._tasks = tasks
        self._timers = timers
        self._roots = roots
        self._clock = clock
        self._keyed = keyed
        self._spreads = spreads

    async def run(self, every_s: float) -> None:
        """Until cancelled. `every_s`, of the wall clock, bounds how late a timer fires."""
        while self._timers:
            self.tick()
            await asyncio.sleep(every_s)

    def tick(self) -> None:
        """Append a tick to the partition of each task in which a timer is due.

        To all partitions where it is one of a decision with a key: its messages come from all.
        """
        now_ms, tasks = self._clock.now_ms(), self._tasks()
        for task in tasks:
            if any(self._is_due(timers, task, now_ms) for timers in self._keyed):
                for spread in self._spreads:
                    spread(task, encode(Tick(at_ms=now_ms)), now_ms, {})
                return
        for task in tasks:
            if any(self._is_due(timers, task, now_ms) for timers in self._timers):
                for send in self._roots:
                    send(task, None, encode(Tick(at_ms=now_ms)), now_ms)

    @staticmethod
    def _is_due(timers: Timers, task: Task, now_ms: int) -> bool:
        timer = timers.first(task)
        return timer is not None and timer.due_ms <= now_ms - timers.lateness_ms
