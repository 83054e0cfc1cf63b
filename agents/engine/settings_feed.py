"""How settings get into the log: the owner of a task appends what its tables have not seen.

So a change reaches every partition, in whatever order workers, tasks and changes come and go: a new
partition, worker or decision gets all that is set. It is committed like an output of the task.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing

from agents.engine.sending import Sender
from agents.engine.settings import Settings
from streams.broadcasts import SettingChanged
from streams.codec import encode
from streams.context import Task
from streams.ids import ChannelId

#: What happens in between, a task that is taken over say, is looked at so often.
EVERY_S = 1.0
_Name = tuple[str, ChannelId | None]


class SettingsFeed:
    """An effect at the engine's edge; what it leads to is decided by the log."""

    def __init__(
        self,
        tasks: Callable[[], Collection[Task]],
        settings: Sequence[Settings],
        roots: Sequence[Sender],
    ) -> None:
        """`tasks` of this process that are up to date; `roots` send to where broadcasts begin."""
        self._tasks = tasks
        self._settings = settings
        self._roots = roots
        self._known: dict[_Name, SettingChanged] = {}
        #: The versions that this process has appended and that may be under way.
        self._sent: dict[Task, dict[_Name, int]] = {}

    async def run(self, changes: AsyncGenerator[SettingChanged, None]) -> None:
        """Until cancelled. Raises what `changes` raises."""
        spreading = asyncio.create_task(self._spread_all())
        try:
            async with aclosing(changes):
                async for change in changes:
                    self.learn(change)
                    self.spread()
        finally:
            spreading.cancel()
            await asyncio.gather(spreading, return_exceptions=True)

    def learn(self, change: SettingChanged) -> None:
        """The highest version of each name and channel is kept."""
        name = (change.name, change.channel_id)
        known = self._known.get(name)
        if known is None or known.version < change.version:
            self._known[name] = change

    def spread(self) -> None:
        """Append to each task's partition what some input of it has not seen."""
        for task in self._tasks():
            sent = self._sent.setdefault(task, {})
            for name, change in self._known.items():
                if sent.get(name, 0) < change.version and self._is_new(task, change):
                    sent[name] = change.version
                    for send in self._roots:
                        send(task, None, encode(change), change.at_ms)

    def forget(self) -> None:
        """The tasks of this process have changed: what was under way may not have happened."""
        self._sent.clear()

    def _is_new(self, task: Task, change: SettingChanged) -> bool:
        return any(
            settings.version(task, change.name, change.channel_id) < change.version
            for settings in self._settings
        )

    async def _spread_all(self) -> None:
        while True:
            self.spread()
            await asyncio.sleep(EVERY_S)
