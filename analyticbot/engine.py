"""Log, agents and history of one process: what stands between sources and faces."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import faust

from agents.app import WorkerSettings, build
from agents.history import HistoryAgent
from agents.lag import tell_lag
from analyticbot.config import Settings
from analyticbot.crew import Crew
from analyticbot.memory import loaded_for_good
from analyticbot.stores import opened_history, opened_log
from clickhouse.answers import HistoryReader
from clickhouse.history import History
from streams import topics
from streams.clock import Clock
from streams.log import Log, Partition
from streams.metrics import Metrics

#: Faust's group: its offsets say what the agents have processed.
GROUP = "analyticbot"


class Engine:
    """What is open and running. Made by `running_engine`."""

    def __init__(
        self, crew: Crew, log: Log, history: History, writer: HistoryAgent, metrics: Metrics
    ) -> None:
        self.crew = crew
        self.log = log
        self.history = history
        self.reader = HistoryReader(history)
        self.metrics = metrics
        self._writer = writer

    async def drained(self) -> None:
        """Returns when all that is in the log now has been processed and is in history.

        In the order in which it flows: what is being processed may still send.
        """
        for topic in (topics.UPDATES, topics.WINDOWS, topics.ALERTS):
            ends = await self._ends(topic.name)
            if topic is not topics.ALERTS:
                await self._processed(ends)
            await self._writer.caught_up(ends)

    async def _ends(self, topic: str) -> dict[Partition, int]:
        return {partition: end.next for partition, end in (await self.log.bounds(topic)).items()}

    async def _processed(self, ends: dict[Partition, int]) -> None:
        """Wait until the agents have committed up to `ends`."""
        while True:
            committed = await self.log.committed(GROUP)
            if all(end == 0 or committed.get(at, 0) >= end for at, end in ends.items()):
                return
            await asyncio.sleep(_POLL_S)


#: How often a position is looked at that cannot be waited on.
_POLL_S = 0.02


@asynccontextmanager
async def running_engine(
    settings: Settings, clock: Clock, metrics: Metrics
) -> AsyncIterator[Engine]:
    """Open log and history, and start history and agents as the first members of a crew.

    What is added to the crew stops before them, and log and history close last. Raises Failure.
    """
    async with opened_log(settings) as log, opened_history(settings) as history, Crew() as crew:
        writer = HistoryAgent(log, history, metrics, clock=clock)
        crew.add("history", writer.run())
        crew.add("agents", _run_agents(settings, metrics, clock))
        crew.add("lag", tell_lag(log, metrics, GROUP))
        with loaded_for_good():
            yield Engine(crew, log, history, writer, metrics)


async def _run_agents(settings: Settings, metrics: Metrics, clock: Clock) -> None:
    """Run the Faust app until cancelled. Raises what the pipeline cannot go on from."""
    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(error: Exception) -> None:
        if not broken.done():
            broken.set_exception(error)

    app = build(worker_settings(settings), metrics, fatal=fail, clock=clock)
    try:
        await _start(app)
        await broken
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await app.stop()


def worker_settings(settings: Settings) -> WorkerSettings:
    return WorkerSettings(broker=settings.log, partitions=settings.partitions, group=GROUP)


async def _start(app: faust.App) -> None:
    app.finalize()
    await app.maybe_start()
