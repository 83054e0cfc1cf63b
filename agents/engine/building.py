"""Builds the Faust app that runs a pipeline."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from agents.engine.body import Fatal
from agents.engine.decision import Decision, Input
from agents.engine.filling import fill
from agents.engine.gauges import report_gauges
from agents.engine.plan import planned
from agents.engine.recalling import Archive
from agents.engine.settings_feed import SettingsFeed
from agents.engine.ticker import Ticker
from agents.engine.wiring import wire
from agents.engine.worker import Worker, WorkerSettings
from streams.broadcasts import SettingChanged
from streams.clock import Clock
from streams.faust.app import App as App
from streams.log import Log, LogClosed
from streams.metrics import Metrics
from streams.tracing import Traces


def built(
    pipeline: Sequence[Decision],
    inputs: Sequence[Input],
    settings: WorkerSettings,
    metrics: Metrics,
    fatal: Fatal,
    clock: Clock,
    traces: Traces | None,
    changes: Callable[[], AsyncGenerator[SettingChanged, None]] | None = None,
    log: Log | None = None,
    archive: Archive | None = None,
) -> App:
    """The app, ready to be started. Raises WrongKafkaUrl, and ValueError for a wrong pipeline.

    `changes` of settings, those that were announced before as well: called when the app runs.
    Decisions are filled from `log`; without one, the log is opened once more. What it has removed
    comes from the `archive`, where there is one.
    """
    worker = Worker(settings, metrics, fatal, traces)
    wired = wire(worker, planned(pipeline, inputs, settings.group), metrics, clock)

    ticker = Ticker(
        worker.tasks, [*wired.timers.values()], wired.roots, clock, wired.keyed, wired.spreads
    )
    feed = SettingsFeed(worker.tasks, [*wired.settings.values()], wired.roots)
    worker.on_assignment(feed.forget)

    async def tell() -> None:
        await report_gauges(wired.watermarks, worker.context, clock, metrics)

    async def tick() -> None:
        await ticker.run(settings.tick_s)

    async def spread() -> None:
        if changes is not None and wired.settings:
            await feed.run(changes())

    worker.app.task(tell)
    worker.app.task(tick)
    worker.app.task(spread)

    async def fill_behind() -> None:
        try:
            ports = (worker.context, settings.group, log, settings.broker, metrics)
            await fill(wired.pasts, *ports, archive)
        except LogClosed:
            # While the app stops, the log closes before this ends.
            return
        except Exception as error:  # noqa: BLE001 (the top loop: whatever it is, it ends here)
            worker.fatal(error)
            await asyncio.Event().wait()

    worker.app.task(fill_behind)
    return worker.app
