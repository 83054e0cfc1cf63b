"""Wires a plan to what runs it: one reader per topic, and every decision that takes its kinds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from agents.engine.cache import RowCache
from agents.engine.decision import Handler, Reader
from agents.engine.plan import Plan
from agents.engine.ports import Bury, Ports
from agents.engine.sending import Sender, send_span
from agents.engine.watermarks import Watermarks
from streams.clock import Clock
from streams.metrics import Metrics
from streams.topics import Topic
from tables.rows import R


class Runner(Protocol):
    """What runs a pipeline: engine.worker.Worker on Faust."""

    def table(self, name: str, row: type[R]) -> RowCache[R]:
        """The rows of a table, made with its changelog."""

    def sender(self, topic: str, span: str | None = None) -> Sender:
        """What sends to a topic."""

    def graveyard(self, topic: Topic, stage: str) -> Bury:
        """The dead letters of a topic."""

    def add(
        self,
        topic: Topic,
        stage: str,
        bury: Bury,
        reader: Reader,
        handlers: Mapping[type, Sequence[Handler]],
    ) -> None:
        """Have every message of a topic read, and folded by the handlers of its kind."""

    def on_assignment(self, forget: Callable[[], None]) -> None:
        """Have `forget` called when the tasks of this process have changed."""


def wire(runner: Runner, plan: Plan, metrics: Metrics, clock: Clock) -> Watermarks:
    """Adds all that is planned to `runner`."""
    watermarks = Watermarks()
    runner.on_assignment(watermarks.clear)
    rows = {
        table.name: runner.table(table.name, table.row)
        for decision in plan.decisions
        for table in decision.tables
    }
    for each in plan.inputs:
        bury = runner.graveyard(each.topic, each.stage)
        ports = Ports(
            topic=each.topic,
            rows=rows,
            sender=lambda topic: runner.sender(topic.name, send_span(topic.name)),
            bury=bury,
            metrics=metrics,
            clock=clock,
            watermarks=watermarks,
            kinds=plan.kinds,
        )
        handlers: dict[type, list[Handler]] = {}
        for decision in plan.on(each):
            handler = decision.handler(decision, ports)
            for kind in decision.kinds:
                handlers.setdefault(kind, []).append(handler)
        reader = each.reader(ports, frozenset(handlers))
        runner.add(each.topic, each.stage, bury, reader, handlers)
    return watermarks
