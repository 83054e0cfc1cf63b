"""Builds the Faust app that runs a pipeline."""

from collections.abc import AsyncGenerator, Callable, Sequence

from agents.engine.body import Fatal
from agents.engine.decision import Decision, Input
from agents.engine.gauges import report_gauges
from agents.engine.plan import planned
from agents.engine.settings_feed import SettingsFeed
from agents.engine.ticker import Ticker
from agents.engine.wiring import wire
from agents.engine.worker import Worker, WorkerSettings
from streams.broadcasts import SettingChanged
from streams.clock import Clock
from streams.faust.app import App as App
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
) -> App:
    """The app, ready to be started. Raises WrongKafkaUrl, and ValueError for a wrong pipeline.

    `changes` of settings, those that were announced before as well: called when the app runs.
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
    return worker.app
