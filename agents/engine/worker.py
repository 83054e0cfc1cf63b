"""Runs decisions on Faust: one agent per topic, tables, senders, exit on an unknown error."""

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from agents.engine.body import Body, Fatal, Graveyard
from agents.engine.cache import RowCache
from agents.engine.dead import DeadLimit
from agents.engine.decision import Handler, Reader
from agents.engine.gate import Gate
from agents.engine.ports import Bury
from agents.engine.sending import Sender, Spread, sender, spreader, traced
from streams.context import Task
from streams.faust.app import AppSettings, opened_app
from streams.faust.consumer import stop_commits
from streams.metrics import Metrics
from streams.topics import Topic
from streams.tracing import Traces
from tables.rows import R


class WorkerSettings(AppSettings, frozen=True, kw_only=True):
    """Settings of the pipeline."""

    #: Decoded rows kept in memory, per table.
    cached_rows: int = 8192
    dead_limit: DeadLimit = DeadLimit()
    #: How often it is looked whether a timer is due, in seconds of the wall clock.
    tick_s: float = 1.0


def end_process(error: Exception) -> None:
    """The default `fatal`: one line, exit 1, and nothing more is acknowledged."""
    sys.stderr.write(f"analyticbot: the pipeline stopped: {error or type(error).__name__}\n")
    sys.stderr.flush()
    os._exit(1)


class Worker:
    """Builds an app: add agents, then start it.

    `fatal` is called with an unrecoverable error, after commits were disabled; so it may return
    and shut the process down in order. Without `traces` no trace is continued.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        metrics: Metrics,
        fatal: Fatal = end_process,
        traces: Traces | None = None,
    ) -> None:
        """Raises WrongKafkaUrl."""
        self.app = opened_app(settings, metrics)
        self.context = self.app.context
        self._settings = settings
        self._metrics = metrics
        self._traces = traces
        self._rows: list[RowCache[Any]] = []

        def stop(error: Exception) -> None:
            stop_commits(self.app)
            fatal(error)

        #: Called with an unrecoverable error, before the work that met it ends.
        self.fatal: Fatal = stop
        self.app.crashed_with = stop

    def add(
        self,
        topic: Topic,
        stage: str,
        bury: Bury,
        reader: Reader,
        handlers: Mapping[type, Sequence[tuple[str, Handler]]],
        gate: Gate,
    ) -> None:
        """Add the one agent on a topic, with the handlers of each kind that `reader` reads."""
        body = Body(
            topic.name,
            stage,
            reader,
            handlers,
            self._rows,
            gate,
            bury=bury,
            metrics=self._metrics,
            limit=self._settings.dead_limit,
            fatal=self.fatal,
            traces=self._traces,
        )
        source = self.app.bytes_topic(topic.name, self._settings.partitions)
        self.app.agent(source, name=stage)(body.run)

    def tasks(self) -> Collection[Task]:
        """Those of this process whose tables are up to date; none while tasks change hands."""
        return self.context.tasks() if self.app.is_restored else ()

    def graveyard(self, topic: Topic, stage: str) -> Graveyard:
        """The dead letters of a topic."""
        return Graveyard(topic.name, stage, self.sender(topic.dead), self._metrics)

    def table(self, name: str, row: type[R]) -> RowCache[R]:
        self.app.bytes_table(name, self._settings.partitions)
        cache = RowCache(self.context, name, row, self._settings.cached_rows)
        self.on_assignment(cache.forget)
        self._rows.append(cache)
        return cache

    def sender(self, topic: str, span: str | None = None) -> Sender:
        """A sender; with a span its messages continue the trace of the message being processed."""
        plain = sender(self.context, topic)
        return plain if span is None or self._traces is None else traced(plain, span, self._traces)

    @property
    def partitions(self) -> int:
        """Of every topic that the pipeline reads."""
        return self._settings.partitions

    def spreader(self, topic: str) -> Spread:
        return spreader(self.context, topic, self.partitions)

    def on_assignment(self, forget: Callable[[], None]) -> None:
        """Call `forget` whenever the partitions of this process change."""

        async def assigned(*_args: Any, **_kwargs: Any) -> None:
            forget()

        self.app.on_partitions_assigned.connect(assigned, weak=False)
