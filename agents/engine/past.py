"""A decision as it is filled: the same rows and steps as when it is live, and nothing is sent."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from agents.engine.cache import RowCache
from agents.engine.decision import Decision, Input
from agents.engine.gate import Gate
from agents.engine.plan import Plan
from agents.engine.ports import Ports
from agents.engine.reasons import Rejected
from agents.engine.sending import FILLED, Headers, Sender
from agents.engine.watermarks import Watermarks
from streams.broadcasts import Tick
from streams.context import Task
from streams.log import Record
from streams.metrics import Metrics
from streams.topics import Topic


class Past:
    """One decision on one topic. Nothing here awaits."""

    def __init__(
        self,
        decision: Decision,
        topic: Input,
        ports: Ports,
        gate: Gate,
        plan: Plan,
    ) -> None:
        """`ports` are those of the topic. What is sent to a topic of forwarded messages stays in
        the engine, so it is sent, marked as filled."""
        self.name = decision.name
        self.topic = topic.topic.name
        self.gate = gate
        self.rows: dict[str, RowCache[Any]] = {
            table.name: ports.rows[table.name] for table in decision.kept
        }
        self._timers = ports.timers.get(decision.name)
        #: Whether the ticks of this topic fire its timers.
        #: On a topic of keys only messages do: what is left is due with the first live tick.
        ticked = decision.on_time is not None and not topic.upstream
        self._ticks = ticked and plan.last(decision) == topic.topic
        self._made = (decision, topic, ports, plan.forwarded)
        self._fold: tuple[Any, Any, frozenset[type]] | None = None

    def fold(self, task: Task, records: Sequence[Record]) -> None:
        """Fold consecutive records, and write the rows that they changed.

        What cannot be read was a dead letter when it came.
        """
        if self._fold is None:
            self._fold = _muted(*self._made)
        reader, handler, kinds = self._fold
        for record in records:
            try:
                message = reader.read(task, record)
            except Rejected:
                continue
            if type(message) in kinds:
                handler.fold(task, record, message)
            elif self._ticks and isinstance(message, Tick):
                handler.advance(task, record, message.at_ms)
        for rows in self.rows.values():
            rows.write()

    def forgotten(self, task: Task) -> None:
        """All its rows in a task are deleted, those of its timers as well."""
        if self._timers is not None:
            self._timers.forget()
        self.gate.forgotten(task, self.name)


def _muted(
    decision: Decision, topic: Input, ports: Ports, forwarded: Collection[Topic]
) -> tuple[Any, Any, frozenset[type]]:
    """A reader and a handler of its own, made when a decision is filled, and that is rare."""

    def sender(to: Topic) -> Sender:
        return _marking(ports.sender(to)) if to in forwarded else _nothing

    muted = msgspec.structs.replace(
        ports, sender=sender, bury=_nothing, metrics=Metrics(), watermarks=Watermarks()
    )
    kinds = frozenset(decision.kinds)
    return topic.reader(muted, kinds | {Tick}), decision.handler(decision, muted), kinds


def _marking(send: Sender) -> Sender:
    def send_filled(
        task: Task,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Headers | None = None,
    ) -> None:
        send(task, key, value, timestamp_ms, {**(headers or {}), FILLED: b"1"})

    return send_filled


def _nothing(*_args: object, **_kwargs: object) -> None:
    """Others sent, or buried, what followed from the message when it came."""
