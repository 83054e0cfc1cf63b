"""Rebuilds the tables of a decision from the log, in the processes that run the pipeline.

The request is a message of the log (agents/engine/rebuilds.py). On Kafka the workers serve it, each
for its tasks, while all other work continues. Only one process can open an embedded log, so there
the command itself runs the pipeline until the rebuild is done.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from agents.engine.decision import Decision
from agents.engine.fills import TABLE, Fill, Fills, place_of
from agents.engine.rebuilds import last_wanted, want
from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.installed import Decisions
from analyticbot.process import is_embedded, started
from analyticbot.stores import opened_history
from streams.between import read_between
from streams.clock import SystemClock
from streams.log import Bounds, Log, LogError, Partition, Record
from streams.metrics import Metrics
from streams.side_by_side import side_by_side
from streams.topics import AGENTS, UPDATES, changelog_of
from tables.rows import RowDecoder

_LOOK_S = 0.2
_fills = RowDecoder(Fills)

Progress = Callable[[int, int], None]


def decision_of(table: str, known: Decisions) -> Decision:
    """The decision that a table belongs to. Raises Failure."""
    # A decision with another key is rebuilt from the messages forwarded to it.
    running = known.plan
    owners = {
        each.name: decision
        for decision in running.decisions
        for each in decision.tables
        if not running.forwards(decision)
    }
    if table not in owners:
        names = ", ".join(owners)
        raise Failure(f"{table}: no such table; rebuild history, or one of {names}")
    return owners[table]


class Reach(msgspec.Struct, frozen=True):
    """The extent of the log."""

    #: The number of messages that the log has removed.
    removed: int
    #: When the first remaining message was appended; None if there is none.
    since_ms: int | None


class TableRebuild:
    """Rebuilds all tables of one decision together, because their rows depend on one another."""

    def __init__(self, settings: Settings, log: Log, decision: Decision, known: Decisions) -> None:
        self._settings = settings
        self._known = known
        self._log = log
        self._decision = decision
        self._wanted_ms = 0
        self._changelog = changelog_of(AGENTS, TABLE.name).name
        self._read: dict[Partition, int] = {}
        self._fills: dict[tuple[int, str], Fill] = {}

    @property
    def is_own(self) -> bool:
        """Whether this process runs the rebuild, not the workers."""
        return is_embedded(self._settings)

    @property
    def tables(self) -> str:
        return ", ".join(table.name for table in self._decision.tables)

    @property
    def before_it(self) -> str:
        """A sentence about the time before the log."""
        if self._decision.reads == (UPDATES,):
            return "what is older is taken from history's samples, as far as these go back"
        return "the tables would know nothing of what was before"

    async def resume(self) -> bool:
        """Whether a rebuild is in progress; `finish` then waits for that one. Raises Failure."""
        try:
            self._wanted_ms = await last_wanted(self._log, self._decision.name)
            return bool(self._wanted_ms) and not await self._is_done()
        except LogError as error:
            raise Failure(str(error)) from error

    async def reach(self) -> Reach:
        """Raises Failure."""
        removed, appended = 0, []
        try:
            for topic in self._decision.reads:
                for partition, at in (await self._log.bounds(topic.name)).items():
                    removed += at.first
                    records = await self._log.read(partition, at.first, 1)
                    appended += [record.appended_ms for record in records]
        except LogError as error:
            raise Failure(str(error)) from error
        return Reach(removed, min(appended, default=None))

    async def begin(self, now_ms: int) -> None:
        """Requests the rebuild, durably: it completes even if this process ends. Raises Failure."""
        self._wanted_ms = now_ms
        try:
            await want(self._log, self._decision.name, now_ms)
        except LogError as error:
            raise Failure(str(error)) from error

    async def finish(self, progress: Progress) -> int:
        """Returns the number of messages folded, when every task is done. Raises Failure.

        Call it after `begin`, or after `resume` returned True.
        """
        try:
            if self.is_own:
                # Its libraries take seconds to load; wrong use is reported before.
                from analyticbot.roles.work import Agents

                ports = (self._settings, self._log, SystemClock(), Metrics(), self._known)
                async with opened_history(self._settings) as history, started(*ports) as process:
                    await side_by_side(self._watch(progress), Agents(process, history).run())
            else:
                await self._watch(progress)
            return _progress(self._fills.values())[1]
        except LogError as error:
            raise Failure(f"{error}; run it again to resume") from error

    async def _watch(self, progress: Progress) -> None:
        while not await self._is_done():
            progress(*_progress(self._fills.values()))
            await asyncio.sleep(_LOOK_S)

    async def _is_done(self) -> bool:
        await self._look()
        tasks = await self._log.partitions(UPDATES.name)
        places = len(tasks) * len(self._decision.reads)
        return len(self._fills) == places and all(
            fill.state == "live" and fill.rebuild_ms >= self._wanted_ms
            for fill in self._fills.values()
        )

    async def _look(self) -> None:
        """Reads the newly committed progress of the decision, per task."""
        for at, bounds in (await self._log.bounds(self._changelog)).items():
            start = max(self._read.get(at, 0), bounds.first)
            async for records in read_between(self._log, at, Bounds(start, bounds.next), 500):
                self._read[at] = records[-1].offset + 1
                for record in records:
                    self._take(at.number, record)

    def _take(self, task: int, record: Record) -> None:
        found = _fills(record.value).fills if record.value else {}
        for topic in self._decision.reads:
            place = place_of(self._decision.name, topic.name)
            if place in found:
                self._fills[task, topic.name] = found[place]


def _progress(fills: Iterable[Fill]) -> tuple[int, int]:
    """The messages folded, and the total."""
    done = total = 0
    for fill in fills:
        done += max(fill.next - fill.first, 0)
        total += max(max(fill.until or 0, fill.next) - fill.first, 0)
    return done, total
