"""A worker as a process, for faults: the agents, and history where a store is named.

``python -m tests.faults.victim URL TABLES [--instance NAME] [--history URL] …``; it logs JSON lines
to standard error, ends in order on SIGTERM, and says then what it has processed.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from agents.app import build
from agents.engine.building import App, built
from agents.engine.worker import WorkerSettings, end_process
from agents.history.settings import HistorySettings
from agents.history.writer import HistoryAgent
from agents.pipeline import INPUTS, PIPELINE
from analyticbot.logs import set_up_logs
from analyticbot.signals import stop_on_signals
from clickhouse.opening import open_history
from control.announcer import announced_settings
from streams.broadcasts import SettingChanged
from streams.clock import SystemClock
from streams.metrics import Metrics
from streams.opening import open_log
from tests.agents.quiet import QUIET
from tests.faults.sizes import PARTITIONS

logger = logging.getLogger(__name__)


def main() -> None:
    given = _arguments()
    set_up_logs("INFO", "json", role="work", instance=given.instance or "")
    # The tests wait for what it logs itself.
    logger.setLevel(logging.INFO)
    asyncio.run(work(given))


async def work(given: argparse.Namespace) -> None:
    metrics = Metrics()
    settings = WorkerSettings(
        broker=given.url,
        partitions=PARTITIONS,
        tables=given.tables,
        group=given.group,
        instance=given.instance,
        standbys=given.standbys,
    )
    app = build(settings, metrics) if not given.timed else _timed(given, settings, metrics)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell_tasks)
    with stop_on_signals() as stop:
        logger.info("worker_starts")
        async with _history(given, metrics):
            starting = asyncio.create_task(app.start())
            await stop.wait()
            await app.stop()
            await asyncio.gather(starting, return_exceptions=True)
    counts = {stage: _counted(metrics, "received", stage) for stage in ("updates", "windows")}
    logger.info("worker_ended", extra=counts)


def tell_tasks() -> None:
    """Where every task waits, a line each: asked for when a test has waited too long."""
    lines = sorted(" > ".join(_places(task.get_coro())) for task in asyncio.all_tasks())
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def _places(awaited: Any) -> Iterator[str]:
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            path = Path(frame.f_code.co_filename)
            yield f"{path.parent.name}/{path.stem}.{frame.f_code.co_name}:{frame.f_lineno}"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)


def _timed(given: argparse.Namespace, settings: WorkerSettings, metrics: Metrics) -> App:
    """With a decision that has timers, and with what operators set."""
    settings = msgspec.structs.replace(settings, tick_s=0.1)

    async def changes() -> AsyncGenerator[SettingChanged, None]:
        log = await open_log(given.url)
        try:
            async with aclosing(announced_settings(log)) as announced:
                async for change in announced:
                    yield change
        finally:
            await log.close()

    pipeline = (*PIPELINE, QUIET)
    return built(pipeline, INPUTS, settings, metrics, end_process, SystemClock(), None, changes)


@asynccontextmanager
async def _history(given: argparse.Namespace, metrics: Metrics) -> AsyncIterator[None]:
    if not given.history:
        yield
        return
    log, history = await open_log(given.url), await open_history(given.history)
    settings = HistorySettings(batch_rows=2_000, batch_s=0.1)
    agent = HistoryAgent(log, history, metrics, settings, instance=given.instance)
    running = asyncio.create_task(agent.run())
    running.add_done_callback(_end_with)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await history.close()
        await log.close()


def _end_with(running: "asyncio.Task[None]") -> None:
    error = None if running.cancelled() else running.exception()
    if isinstance(error, Exception):
        end_process(error)


def _counted(metrics: Metrics, name: str, stage: str) -> int:
    value = metrics.registry.get_sample_value(f"analyticbot_{name}_total", {"stage": stage})
    return round(value or 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("tables", type=Path)
    parser.add_argument("--group", default="analyticbot")
    parser.add_argument("--instance")
    parser.add_argument("--standbys", type=int, default=1)
    parser.add_argument("--history")
    parser.add_argument("--timed", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
