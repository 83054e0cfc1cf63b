"""Wires a plan to its runner: one reader per topic, and every decision that takes its kinds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from agents.engine.broadcasting import Changes, Ticks
from agents.engine.cache import RowCache
from agents.engine.decision import Decision, Handler, Input, Reader, TimedHandler
from agents.engine.fills import TABLE, Book
from agents.engine.gate import Gate, WhenLive
from agents.engine.past import Past
from agents.engine.plan import Plan
from agents.engine.ports import Bury, Ports
from agents.engine.sending import Sender, Spread, send_span
from agents.engine.setting import Setting
from agents.engine.settings import TABLE as SETTINGS
from agents.engine.settings import Settings
from agents.engine.timers import Timers
from agents.engine.upstream import Upstream, place_of
from agents.engine.watermarks import Watermarks
from streams.broadcasts import SettingChanged, Tick
from streams.clock import Clock
from streams.context import ProcessorContext
from streams.metrics import Metrics
from streams.topics import Topic
from tables.rows import R

#: Names the handlers of no decision.
ENGINE = ""


class Runner(Protocol):
    """The port of whatever runs a pipeline: engine.worker.Worker, on Faust."""

    @property
    def context(self) -> ProcessorContext:
        """Where rows are kept, and how far the tasks of this process are."""

    def table(self, name: str, row: type[R]) -> RowCache[R]:
        """Make a table with its changelog; returns its rows."""

    def sender(self, topic: str, span: str | None = None) -> Sender:
        """A sender to a topic."""

    def graveyard(self, topic: Topic, stage: str) -> Bury:
        """The dead letters of a topic."""

    def add(
        self,
        topic: Topic,
        stage: str,
        bury: Bury,
        reader: Reader,
        handlers: Mapping[type, Sequence[tuple[str, Handler]]],
        gate: Gate,
    ) -> None:
        """Read every message of a topic, and have the handlers of its kind fold it.

        Handlers are named by their decisions; `gate` says which take a message.
        """

    @property
    def partitions(self) -> int:
        """Of every topic that the pipeline reads."""

    def spreader(self, topic: str) -> Spread:
        """What sends to every partition of a topic."""

    def on_assignment(self, forget: Callable[[], None]) -> None:
        """Call `forget` whenever the tasks of this process change."""


class Wired(NamedTuple):
    """What the engine's edge works with."""

    watermarks: Watermarks
    #: Of each decision that has some, by its name.
    timers: Mapping[str, Timers]
    #: Of each input, by its stage, where some decision has settings.
    settings: Mapping[str, Settings]
    #: What send to the topics in which broadcasts begin; they reach the other inputs from there.
    roots: Sequence[Sender]
    #: The same, to every partition of these topics.
    spreads: Sequence[Spread]
    #: The timers of decisions with keys: every partition that they are made from has to be ticked.
    keyed: Sequence[Timers]
    #: Every decision on each of its topics, as it is filled.
    pasts: Sequence[Past]


def wire(runner: Runner, plan: Plan, metrics: Metrics, clock: Clock) -> Wired:
    """Adds all that is planned to `runner`. Raises ValueError where a handler has no timers."""
    watermarks = Watermarks()
    runner.on_assignment(watermarks.clear)
    rows: dict[str, RowCache[Any]] = {}
    for table in plan.kept:
        rows[table.name] = runner.table(table.name, table.row)
    timers = {
        decision.name: Timers(rows[decision.timers.name], decision.lateness_ms, decision.settled_ms)
        for decision in plan.decisions
        if decision.timers is not None
    }
    settings = {
        each.stage: Settings(rows[SETTINGS], each.stage, _declared(plan.on(each)))
        for each in plan.inputs
        if plan.settings
    }
    for forget in (
        *(each.forget for each in timers.values()),
        *(each.forget for each in settings.values()),
    ):
        runner.on_assignment(forget)
    forwards = {each.name for each in plan.decisions if plan.forwards(each)}
    book = Book(plan.decisions, forwards, rows[TABLE.name], runner.context)
    runner.on_assignment(book.forget)
    pasts: list[Past] = []
    for each in plan.inputs:
        ports = Ports(
            topic=each.topic,
            rows=rows,
            timers=timers,
            settings=settings.get(each.stage),
            sender=lambda topic: runner.sender(topic.name, send_span(topic.name)),
            bury=runner.graveyard(each.topic, each.stage),
            metrics=metrics,
            clock=clock,
            watermarks=watermarks,
            kinds=plan.kinds,
        )
        gate = Gate(each.topic.name, book, runner.context, forwarded=bool(each.upstream))
        runner.on_assignment(gate.forget)
        gate.pasts = own = [Past(one, each, ports, gate, plan) for one in plan.on(each)]
        pasts += own
        _add(runner, plan, each, ports, gate)
    return Wired(
        watermarks,
        timers,
        settings,
        roots=[runner.sender(each.name) for each in plan.roots],
        spreads=[runner.spreader(each.name) for each in plan.roots],
        keyed=[timers[each.name] for each in plan.decisions if each.key and each.timers],
        pasts=pasts,
    )


def _declared(decisions: Sequence[Decision]) -> Sequence[Setting[Any]]:
    return [setting for decision in decisions for setting in decision.settings]


def _add(runner: Runner, plan: Plan, each: Input, ports: Ports, gate: Gate) -> None:
    handlers: dict[type, list[tuple[str, Handler]]] = {}
    timed: list[TimedHandler] = []
    for decision in plan.on(each):
        handler = decision.handler(decision, ports)
        for kind in decision.kinds:
            handlers.setdefault(kind, []).append((decision.name, handler))
        if decision.on_time is not None:
            if not isinstance(handler, TimedHandler):
                text = f"{decision.name} declares on_time, and its handler runs no timers"
                raise ValueError(text)
            if plan.last(decision) == each.topic:
                timed.append(WhenLive(handler, gate, decision.name))
    # Broadcasts go on without a span: they belong to no observation.
    after = [runner.sender(topic.name) for topic in plan.after(each.topic)]
    handlers[Tick] = [(ENGINE, _ticks(runner, plan, each, ports, timed))]
    if ports.settings is not None:
        handlers[SettingChanged] = [(ENGINE, Changes(ports.settings, after))]
    reader = each.reader(ports, frozenset(handlers))
    runner.add(each.topic, each.stage, ports.bury, reader, handlers, gate)


def _ticks(
    runner: Runner, plan: Plan, each: Input, ports: Ports, timed: Sequence[TimedHandler]
) -> Ticks:
    plain = [topic for topic in plan.after(each.topic) if topic not in plan.forwarded]
    keyed = [
        runner.spreader(to.topic.name)
        for to in plan.inputs
        if each.topic in to.upstream and plan.ticks(to) is not None
    ]
    table = plan.ticks(each)
    return Ticks(
        each.topic,
        timed,
        [runner.sender(topic.name) for topic in plain],
        keyed,
        None if table is None else Upstream(ports.rows[table.name], _places(runner, each)),
    )


def _places(runner: Runner, each: Input) -> Sequence[str]:
    return [place_of(topic, n) for topic in each.upstream for n in range(runner.partitions)]
