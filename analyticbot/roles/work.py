"""The role `work`: the agents on Faust, and the writer of history."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Iterator
from typing import Any

from agents.app import build
from agents.engine.building import App
from agents.engine.dead import DeadLimit
from agents.engine.worker import WorkerSettings
from agents.history.archive import Archive
from agents.history.batch import Keeping
from agents.history.writer import HistoryAgent
from agents.lag import tell_lag
from analyticbot.config import Settings
from analyticbot.process import Process, is_embedded
from analyticbot.stores import partitions_of
from api.checks import history_check, whole_check
from clickhouse.history import History
from clickhouse.history_reader import HistoryReader
from control.announcer import announced_settings
from streams.database import Budget, NoSpace
from streams.health import READY, Finding, not_ready
from streams.log import LogFull
from streams.outage import Outage
from streams.side_by_side import side_by_side
from streams.space import Space
from streams.topics import AGENTS

logger = logging.getLogger(__name__)

#: Faust's group: its offsets are how far the agents have processed.
GROUP = AGENTS
#: The interval of checks for the disk space of the tables.
ROOM_EVERY_S = 1.0


def work(process: Process, history: History) -> HistoryAgent:
    """Starts the agents and the history writer; returns the writer. Does not wait."""
    agents = Agents(process, history)
    process.health.add("tables", agents.check)
    process.health.add("history", history_check(HistoryReader(history)))
    log, metrics, clock = process.log, process.metrics, process.clock
    instance = process.settings.instance
    keeping = Keeping(process.decisions.kinds)
    writer = HistoryAgent(log, history, metrics, clock=clock, instance=instance, keeping=keeping)
    process.health.add("history_whole", whole_check(history, writer.missing))
    process.services.add("history", writer.run())
    process.services.add("agents", agents.run())
    process.services.add("lag", tell_lag(log, metrics, GROUP, process.decisions.plan))
    return writer


def worker_settings(settings: Settings, partitions: int) -> WorkerSettings:
    """`partitions`: the number per topic of the log."""
    return WorkerSettings(
        broker=settings.log,
        partitions=partitions,
        group=GROUP,
        tables=settings.data / "tables",
        budget=_budget(settings.tables_mib << 20),
        instance=settings.instance,
        standbys=settings.standbys,
        dead_limit=DeadLimit(share=settings.dead_share),
    )


def _budget(most: int) -> Budget:
    """RocksDB has at most four buffers; the cache gets the rest."""
    buffer = most // 5
    return Budget(buffer, most - 4 * buffer)


class Agents:
    """The Faust app as a service.

    On Kafka the tables need space on this process's disk. Without space the app stops, its tasks
    are reassigned to other workers, and it starts again once there is space. (The embedded log
    itself waits for space.)
    """

    def __init__(self, process: Process, history: History | None = None) -> None:
        """Without `history`, decisions are filled from the log alone."""
        self._process = process
        self._archive = None if history is None else Archive(history)
        self._app: App | None = None
        self._space = Space(process.settings.data, holds="tables")
        #: The shortage of space for the tables, if any.
        self._outage = Outage(logger, logging.ERROR)

    async def run(self) -> None:
        """Runs until cancelled. Raises the error that stopped the pipeline."""
        if not self._on_kafka:
            await self._work()
        while True:
            await self._wait_for_room()
            try:
                await side_by_side(self._work(), self._end_without_room())
            except NoSpace as error:
                self._outage.begin("tables", str(error))

    async def _wait_for_room(self) -> None:
        while shortage := self._space.shortage():
            self._outage.begin("tables", shortage)
            await asyncio.sleep(ROOM_EVERY_S)
        self._outage.end()

    async def _end_without_room(self) -> None:
        """Raises NoSpace before the tables fill the disk."""
        while True:
            self._space.check()
            await asyncio.sleep(ROOM_EVERY_S)

    async def _work(self) -> None:
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def fail(error: Exception) -> None:
            if not broken.done():
                broken.set_exception(error)

        process = self._process
        partitions = await partitions_of(process.log, process.settings)
        settings = worker_settings(process.settings, partitions)
        ports = (process.metrics, fail, process.clock, process.traces)
        changes = functools.partial(announced_settings, process.log)
        sources = (changes, process.log, self._archive)
        self._app = app = build(settings, *ports, process.decisions.pipeline, *sources)
        try:
            app.finalize()
            await app.maybe_start()
            await broken
        finally:
            # Tables that are not closed in order recover from their changelogs.
            with contextlib.suppress(asyncio.CancelledError, LogFull):
                await app.stop()

    async def check(self) -> Finding:
        if self._outage.reason:
            return not_ready(self._outage.reason)
        if self._app is None or not self._app.started:
            return not_ready("starting")
        tables: Any = self._app.tables
        if self._tasks("recovering") or not tables.recovery.completed.is_set():
            return not_ready("recovering the tables")
        says = [f"{self._tasks('active')} tasks"] if self._on_kafka else []
        says += [f"filling {name}: {left} messages left" for name, left in self._filling()]
        return Finding(True, ", ".join(says)) if says else READY

    def _filling(self) -> Iterator[tuple[str, int]]:
        """The decisions that are not live in all tasks, and how many messages they have left."""
        for family in self._process.metrics.registry.collect():
            if family.name == "analyticbot_fill_messages":
                found = {sample.labels["decision"]: sample.value for sample in family.samples}
                yield from ((name, int(left)) for name, left in found.items() if left)

    def _tasks(self, state: str) -> int:
        registry = self._process.metrics.registry
        return int(registry.get_sample_value("analyticbot_tasks", {"state": state}) or 0)

    @property
    def _on_kafka(self) -> bool:
        return not is_embedded(self._process.settings)
