"""Rebuilds history from the log: moves the old history aside and reads the log from its beginning.

An interrupted rebuild resumes when it is run again, or when any process that stores history starts:
history itself contains its position (agents/history/pending.py).
"""

import asyncio
from collections.abc import Callable

import msgspec

from agents.history.batch import Keeping
from agents.history.pending import Held
from agents.history.writer import GROUP, HistoryAgent
from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.process import is_embedded
from analyticbot.stores import opened_history
from clickhouse.aside import is_there, put_aside
from clickhouse.history import HistoryError, HistoryInUse, HistoryUnavailable
from clickhouse.opening import open_history
from streams.kinds import KINDS
from streams.known import Kinds
from streams.log import Log, LogError, NotOwner, Offsets, Partition
from streams.metrics import Metrics
from streams.topics import UPDATES

#: The group whose offsets are the ends of a rebuild in progress; all 0 when there is none.
REBUILDS = "history-rebuild"
_LOOK_S = 0.2

Progress = Callable[[int, int], None]


class Reach(msgspec.Struct, frozen=True):
    """The extent of the log and of history."""

    #: The time of the first observation in the log; None if it has none.
    log_ms: int | None
    #: The same for the present history; None if it is empty or unreadable.
    history_ms: int | None
    #: The number of messages that the log has removed.
    removed: int

    @property
    def is_short(self) -> bool:
        """Whether history reaches, or may reach, further back than the log."""
        older = self.history_ms is not None and (
            self.log_ms is None or self.history_ms < self.log_ms
        )
        return older or self.removed > 0


class Rebuild:
    """The rebuild of one history, while no other process stores into it."""

    def __init__(self, settings: Settings, log: Log, kinds: Kinds = KINDS) -> None:
        self._settings = settings
        self._keeping = Keeping(kinds)
        self._log = log
        self._ends: dict[Partition, int] = {}

    async def look(self) -> Reach | None:
        """Called first. The extent of a rebuild; None if one is in progress and must be resumed.

        Changes nothing, except that it may create or migrate the history of an interrupted rebuild.
        Raises Failure, also while workers store history.
        """
        try:
            await self._refuse_members()
            self._ends = await self._bounds(1)
            begun = await self._log.committed(REBUILDS)
            removed = sum((await self._bounds(0)).values())
            log_ms = await self._since()
        except LogError as error:
            raise Failure(str(error)) from error
        held, history_ms = await self._asked(begun=any(begun.values()))
        if held is not None and any(held.next.get(at, 0) < end for at, end in begun.items()):
            return None
        return Reach(log_ms, history_ms, removed)

    async def begin(self, when: str) -> str | None:
        """Moves the present history aside; returns its new location. Raises Failure."""
        try:
            if not is_embedded(self._settings):
                await self._log.commit(GROUP, await self._bounds(0))
            aside = await put_aside(self._settings.history, when)
            await self._log.commit(REBUILDS, self._ends)
        except (HistoryError, LogError) as error:
            raise Failure(str(error)) from error
        return aside

    async def fill(self, progress: Progress) -> int:
        """Returns the number of messages read, when history has all messages up to the ends.

        Calls `progress` with the messages done and the total. Raises Failure.
        """
        metrics = Metrics()
        async with opened_history(self._settings) as history:
            agent = HistoryAgent(self._log, history, metrics, keeping=self._keeping)
            running = asyncio.create_task(agent.run())
            waiting = asyncio.create_task(self._filled(agent))
            try:
                while not waiting.done() and not running.done():
                    progress(*self._progress(agent))
                    await asyncio.wait(
                        (waiting, running), timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED
                    )
                if running.done():
                    running.result()
                await waiting
                await self._log.commit(REBUILDS, dict.fromkeys(self._ends, 0))
            except (HistoryError, LogError) as error:
                raise Failure(f"{error}; run it again to resume") from error
            finally:
                for task in (waiting, running):
                    task.cancel()
                await asyncio.gather(waiting, running, return_exceptions=True)
        read = metrics.registry.get_sample_value("analyticbot_received_total", {"stage": "history"})
        return int(read or 0)

    async def _filled(self, agent: HistoryAgent) -> None:
        if is_embedded(self._settings):
            await agent.caught_up(self._ends)
            return
        # Workers that start meanwhile do part of the work: their commits count too.
        while True:
            if _is_at(await self._log.committed(GROUP), self._ends):
                return
            await asyncio.sleep(_LOOK_S)

    def _progress(self, agent: HistoryAgent) -> tuple[int, int]:
        at = agent.position()
        ends = {each: end for each, end in self._ends.items() if each in at}
        left = sum(max(end - at[each], 0) for each, end in ends.items())
        total = sum(self._ends.values())
        return (total - left if at else 0), total

    async def _refuse_members(self) -> None:
        """Raises Failure while workers store: their rows would go into the old history."""
        if not is_embedded(self._settings):
            try:
                await self._log.commit(GROUP, await self._log.committed(GROUP))
            except NotOwner as error:
                raise Failure(
                    "workers store history now: stop every `analyticbot work`, then rebuild"
                ) from error

    async def _asked(self, *, begun: bool) -> tuple[Held | None, int | None]:
        """History's positions and the time of its first observation; None if it is unreadable.

        Creates history only if its rebuild has `begun`. Raises Failure if it is in use or
        unavailable.
        """
        if not begun and not is_there(self._settings.history):
            return None, None
        try:
            history = await open_history(self._settings.history)
        except (HistoryInUse, HistoryUnavailable) as error:
            raise Failure(str(error)) from error
        except HistoryError:
            return None, None
        try:
            if begun:
                await history.migrate()
            held = Held.told(await history.ask("positions", {}))
            since = (await history.ask("observed_since", {})).rows
            return held, since[0]["since_ms"] if since else None
        except HistoryError:
            return None, None
        finally:
            await history.close()

    async def _since(self) -> int | None:
        first = [
            record.timestamp_ms
            for partition, bounds in (await self._log.bounds(UPDATES.name)).items()
            for record in await self._log.read(partition, bounds.first, 1)
        ]
        return min(first, default=None)

    async def _bounds(self, which: int) -> dict[Partition, int]:
        """The first (0) or the next (1) offset of every partition that history reads."""
        return {
            partition: bounds[which]
            for topic in self._keeping.topics
            for partition, bounds in (await self._log.bounds(topic)).items()
        }


def _is_at(committed: Offsets, ends: Offsets) -> bool:
    return all(end == 0 or committed.get(at, 0) >= end for at, end in ends.items())
