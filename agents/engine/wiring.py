"""Wires a pipeline to what runs it: one reader a topic, and every decision that takes its kinds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from agents.engine.cache import RowCache
from agents.engine.decision import Decision, Handler, Input, Reader
from agents.engine.ports import Bury, Ports, Table
from agents.engine.sending import Sender
from agents.engine.watermarks import Watermarks
from streams.clock import Clock
from streams.metrics import Metrics, Stage
from streams.topics import ALERTS, WINDOWS, Topic
from streams.tracing import SpanName
from tables.rows import R

#: Spans of what is sent, by topic; what goes to other topics is not traced.
_SENDS: Mapping[str, SpanName] = {WINDOWS.name: "window.send", ALERTS.name: "alert.send"}


class Runner(Protocol):
    """What runs a pipeline: engine.worker.Worker on Faust."""

    def table(self, name: str, row: type[R]) -> RowCache[R]:
        """The rows of a table, made with its changelog."""

    def sender(self, topic: str, span: SpanName | None = None) -> Sender:
        """What sends to a topic."""

    def graveyard(self, topic: Topic, stage: Stage) -> Bury:
        """The dead letters of a topic."""

    def add(
        self,
        topic: Topic,
        stage: Stage,
        bury: Bury,
        reader: Reader,
        handlers: Mapping[type, Sequence[Handler]],
    ) -> None:
        """Have every message of a topic read, and folded by the handlers of its kind."""

    def on_assignment(self, forget: Callable[[], None]) -> None:
        """Have `forget` called when the tasks of this process have changed."""


def wire(
    runner: Runner,
    pipeline: Sequence[Decision],
    inputs: Sequence[Input],
    metrics: Metrics,
    clock: Clock,
) -> Watermarks:
    """Adds all that is listed to `runner`. Raises ValueError where the list contradicts itself."""
    check(pipeline, inputs)
    watermarks = Watermarks()
    runner.on_assignment(watermarks.clear)
    for each in inputs:
        decisions = [decision for decision in pipeline if decision.reads == each.topic]
        if decisions:
            _add(runner, each, decisions, metrics, clock, watermarks)
    return watermarks


def check(pipeline: Sequence[Decision], inputs: Sequence[Input]) -> None:
    """Raises ValueError where the list contradicts itself."""
    tables = [table.name for decision in pipeline for table in decision.tables]
    if twice := {name for name in tables if tables.count(name) > 1}:
        raise ValueError(f"tables of two decisions: {', '.join(sorted(twice))}")
    read = {each.topic for each in inputs}
    for decision in pipeline:
        if decision.reads not in read:
            raise ValueError(f"{decision.name} reads {decision.reads.name}, which has no reader")
        if not decision.kinds:
            raise ValueError(f"{decision.name} takes no kind of message")


def _add(
    runner: Runner,
    each: Input,
    decisions: Sequence[Decision],
    metrics: Metrics,
    clock: Clock,
    watermarks: Watermarks,
) -> None:
    bury = runner.graveyard(each.topic, each.stage)
    ports = Ports(
        rows=_rows(runner, [table for decision in decisions for table in decision.tables]),
        sender=lambda topic: runner.sender(topic.name, _SENDS.get(topic.name)),
        bury=bury,
        metrics=metrics,
        clock=clock,
        watermarks=watermarks,
    )
    handlers: dict[type, list[Handler]] = {}
    for decision in decisions:
        handler = decision.handler(decision, ports)
        for kind in decision.kinds:
            handlers.setdefault(kind, []).append(handler)
    reader = each.reader(ports, frozenset(handlers))
    runner.add(each.topic, each.stage, bury, reader, handlers)


def _rows(runner: Runner, tables: Sequence[Table]) -> Mapping[str, RowCache[Any]]:
    return {table.name: runner.table(table.name, table.row) for table in tables}
