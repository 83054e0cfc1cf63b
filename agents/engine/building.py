"""Builds the Faust app that runs a pipeline."""

from collections.abc import Sequence

from agents.engine.body import Fatal
from agents.engine.decision import Decision, Input
from agents.engine.gauges import report_gauges
from agents.engine.plan import planned
from agents.engine.wiring import wire
from agents.engine.worker import Worker, WorkerSettings
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
) -> App:
    """The app, ready to be started. Raises WrongKafkaUrl, and ValueError for a wrong pipeline."""
    worker = Worker(settings, metrics, fatal, traces)
    watermarks = wire(worker, planned(pipeline, inputs, settings.group), metrics, clock)

    async def tell() -> None:
        await report_gauges(watermarks, worker.context, clock, metrics)

    worker.app.task(tell)
    return worker.app
