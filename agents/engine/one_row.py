"""Runs a decision that keeps one row per channel and has one step over it."""

from collections.abc import Callable, Sequence
from typing import Any

from agents.engine.decision import Decision
from agents.engine.ports import Ports
from streams.codec import encode
from streams.context import Task
from streams.log import Record
from streams.topics import channel_key
from tables.rows import Row, encode_row

#: (row, message, offset) -> outputs; folds the message into the row, in place.
Step = Callable[[Any, Any, int], Sequence[Any]]


class OneRow:
    """Implements Handler. The decision names one table, one step and one topic."""

    def __init__(self, decision: Decision, ports: Ports) -> None:
        """Raises ValueError where the decision names more, or less."""
        [table], [step], [topic] = decision.tables, decision.steps, decision.sends
        self._stage = decision.name
        self._step: Step = step
        self._rows = ports.rows[table.name]
        self._send = ports.sender(topic)
        self._metrics = ports.metrics

    def fold(self, task: Task, record: Record, message: Any) -> None:
        key = channel_key(message.channel_id)
        row: Row = self._rows.get(task, key)
        values = [encode(output) for output in self._step(row, message, record.offset)]
        self._rows.write(task, key, encode_row(row), record.timestamp_ms)
        for value in values:
            self._send(task, key, value, message.observed_at_ms)
        if values:
            self._metrics.sent(self._stage, len(values))

    def measure(self, record: Record) -> None:
        """There is nothing to measure."""
