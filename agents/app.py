"""The pipeline as a Faust app. Nothing is made when this module is imported."""

import faust

from agents.binding import Fatal
from agents.spikes_body import SpikesBody
from agents.updates_body import UpdatesBody
from agents.vitals import tell_vitals
from agents.watermarks import Watermarks
from agents.worker import Worker, WorkerSettings, end_process
from streams import topics
from streams.clock import Clock, SystemClock
from streams.metrics import Metrics
from streams.tracing import Traces
from tables.channel import Channel
from tables.posts import Bucket, Shelf
from tables.spikes import Spikes


def build(
    settings: WorkerSettings,
    metrics: Metrics,
    fatal: Fatal = end_process,
    clock: Clock | None = None,
    traces: Traces | None = None,
) -> faust.App:
    """The app, ready to be started; `fatal` and `traces` as Worker has them.

    `clock` is the one by which sources stamp observations; without one, the machine's.
    """
    worker = Worker(settings, metrics, fatal, traces)
    _add_updates(worker, clock or SystemClock(), metrics)
    _add_spikes(worker)
    return worker.app


def _add_updates(worker: Worker, clock: Clock, metrics: Metrics) -> None:
    watermarks = Watermarks()
    body = UpdatesBody(
        *worker.common(topics.UPDATES),
        channels=worker.table("channels", Channel),
        posts=worker.table("posts", Bucket),
        shelves=worker.table("shelves", Shelf),
        windows=worker.sender(topics.WINDOWS.name, "window.send"),
        again=worker.sender(topics.UPDATES.name),
        watermarks=watermarks,
        clock=clock,
    )
    worker.add(body, topics.UPDATES)
    worker.on_assignment(watermarks.clear)

    async def tell() -> None:
        await tell_vitals(watermarks, worker.desk, clock, metrics)

    worker.app.task(tell)


def _add_spikes(worker: Worker) -> None:
    body = SpikesBody(
        *worker.common(topics.WINDOWS),
        spikes=worker.table("spikes", Spikes),
        alerts=worker.sender(topics.ALERTS.name, "alert.send"),
    )
    worker.add(body, topics.WINDOWS)
