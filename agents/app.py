"""Builds the pipeline's Faust app. Importing this module has no effects."""

from collections.abc import AsyncGenerator, Callable, Sequence

from agents.engine.body import Fatal
from agents.engine.building import App, built
from agents.engine.decision import Decision
from agents.engine.recalling import Archive
from agents.engine.worker import WorkerSettings, end_process
from agents.pipeline import INPUTS, PIPELINE
from streams.broadcasts import SettingChanged
from streams.clock import Clock, SystemClock
from streams.log import Log
from streams.metrics import Metrics
from streams.tracing import Traces


def build(
    settings: WorkerSettings,
    metrics: Metrics,
    fatal: Fatal = end_process,
    clock: Clock | None = None,
    traces: Traces | None = None,
    pipeline: Sequence[Decision] | None = None,
    changes: Callable[[], AsyncGenerator[SettingChanged, None]] | None = None,
    log: Log | None = None,
    archive: Archive | None = None,
) -> App:
    """The app, ready to be started; `fatal` and `traces` as Worker has them.

    `clock` is the clock by which sources stamp observations, by default the machine's. `pipeline`
    is by default the program's. `changes` of settings, as they are announced
    (control.announcer.announced_settings). Decisions are filled from `log` and `archive`, as
    `built` says.
    """
    ports = (metrics, fatal, clock or SystemClock(), traces, changes, log, archive)
    return built(pipeline or PIPELINE, INPUTS, settings, *ports)
