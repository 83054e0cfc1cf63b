"""The role `work`: the agents on Faust, and what they decide into history."""

import asyncio
import contextlib
from typing import Any

import faust

from agents.app import build
from agents.dead import DeadLimit
from agents.history import HistoryAgent
from agents.lag import tell_lag
from agents.worker import WorkerSettings
from analyticbot.config import Settings
from analyticbot.process import Process, is_embedded
from api.checks import history_check
from api.health import READY, Finding, not_ready
from clickhouse.answers import HistoryReader
from clickhouse.history import History
from streams.database import Budget
from streams.topics import AGENTS

#: Faust's group: its offsets say what the agents have processed.
GROUP = AGENTS


def work(process: Process, history: History) -> None:
    """Until the crew stops."""
    agents = Agents(process)
    process.health.add("tables", agents.check)
    process.health.add("history", history_check(HistoryReader(history)))
    log, metrics, clock = process.log, process.metrics, process.clock
    instance = process.settings.instance
    writer = HistoryAgent(log, history, metrics, clock=clock, instance=instance)
    process.crew.add("history", writer.run())
    process.crew.add("agents", agents.run())
    process.crew.add("lag", tell_lag(log, metrics, GROUP))


def worker_settings(settings: Settings) -> WorkerSettings:
    return WorkerSettings(
        broker=settings.log,
        partitions=settings.partitions,
        group=GROUP,
        tables=settings.data / "tables",
        budget=_budget(settings.tables_mib << 20),
        instance=settings.instance,
        standbys=settings.standbys,
        dead_limit=DeadLimit(share=settings.dead_share),
    )


def _budget(most: int) -> Budget:
    """There are at most four buffers; the rest is the cache."""
    buffer = most // 5
    return Budget(buffer, most - 4 * buffer)


class Agents:
    """The Faust app as a member of a crew."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._app: faust.App | None = None

    async def run(self) -> None:
        """Until cancelled. Raises what the pipeline cannot go on from."""
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def fail(error: Exception) -> None:
            if not broken.done():
                broken.set_exception(error)

        process = self._process
        settings = worker_settings(process.settings)
        ports = (process.metrics, fail, process.clock, process.traces)
        self._app = app = build(settings, *ports)
        try:
            app.finalize()
            await app.maybe_start()
            await broken
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await app.stop()

    async def check(self) -> Finding:
        if self._app is None or not self._app.started:
            return not_ready("starting")
        tables: Any = self._app.tables
        if self._tasks("recovering") or not tables.recovery.completed.is_set():
            return not_ready("recovering the tables")
        return Finding(True, f"{self._tasks('active')} tasks") if self._on_kafka else READY

    def _tasks(self, state: str) -> int:
        registry = self._process.metrics.registry
        return int(registry.get_sample_value("analyticbot_tasks", {"state": state}) or 0)

    @property
    def _on_kafka(self) -> bool:
        return not is_embedded(self._process.settings)
