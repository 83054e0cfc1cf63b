"""Builds the Faust app that runs a pipeline: one agent a topic, each message read once."""

from collections.abc import Mapping, Sequence
from typing import Any

import faust

from agents.engine.body import Fatal
from agents.engine.cache import RowCache
from agents.engine.decision import Decision, Handler, Input
from agents.engine.ports import Ports, Table
from agents.engine.sending import Sender
from agents.engine.vitals import tell_vitals
from agents.engine.watermarks import Watermarks
from agents.engine.worker import Worker, WorkerSettings
from streams.clock import Clock
from streams.metrics import Metrics
from streams.topics import ALERTS, WINDOWS, Topic
from streams.tracing import SpanName, Traces

#: Spans of what is sent, by topic; what goes to other topics is not traced.
_SENDS: Mapping[str, SpanName] = {WINDOWS.name: "window.send", ALERTS.name: "alert.send"}


def built(
    pipeline: Sequence[Decision],
    inputs: Sequence[Input],
    settings: WorkerSettings,
    metrics: Metrics,
    fatal: Fatal,
    clock: Clock,
    traces: Traces | None,
) -> faust.App:
    """The app, ready to be started. Raises WrongKafkaUrl, and ValueError for a wrong pipeline."""
    check(pipeline, inputs)
    worker = Worker(settings, metrics, fatal, traces)
    watermarks = Watermarks()
    worker.on_assignment(watermarks.clear)
    for each in inputs:
        decisions = [decision for decision in pipeline if decision.reads == each.topic]
        if decisions:
            _add(worker, each, decisions, metrics, clock, watermarks)

    async def tell() -> None:
        await tell_vitals(watermarks, worker.desk, clock, metrics)

    worker.app.task(tell)
    return worker.app


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
    worker: Worker,
    each: Input,
    decisions: Sequence[Decision],
    metrics: Metrics,
    clock: Clock,
    watermarks: Watermarks,
) -> None:
    bury = worker.graveyard(each.topic, each.stage)
    ports = Ports(
        rows=_rows(worker, [table for decision in decisions for table in decision.tables]),
        sender=lambda topic: _sender(worker, topic),
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
    worker.add(each.topic, each.stage, bury, reader, handlers)


def _rows(worker: Worker, tables: Sequence[Table]) -> Mapping[str, RowCache[Any]]:
    return {table.name: worker.table(table.name, table.row) for table in tables}


def _sender(worker: Worker, topic: Topic) -> Sender:
    return worker.sender(topic.name, _SENDS.get(topic.name))
