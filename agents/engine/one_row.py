"""Runs a decision that keeps one row per key and has one step over it."""

from collections.abc import Callable, Sequence
from typing import Any

from agents.engine.decision import Decision
from agents.engine.ports import Ports
from streams.codec import encode
from streams.context import Task
from streams.log import Record
from streams.topics import channel_key
from tables.rows import JoinedRow, Row, encode_row

#: (row, message, offset) -> outputs; folds the message into the row, in place. With a key of the
#: decision's own: (row, message, offset, key) -> outputs.
Step = Callable[..., Sequence[Any]]


class OneRow:
    """Implements Handler. The decision names one table, one step and one topic.

    Outputs are sent under their channel, as every message of analytics.* is.
    """

    def __init__(self, decision: Decision, ports: Ports) -> None:
        """Raises ValueError where the decision names more, or less."""
        for what, given in (
            ("table", decision.tables),
            ("step", decision.steps),
            ("topic to send to", decision.sends),
        ):
            if len(given) != 1:
                raise ValueError(f"{decision.name}: OneRow needs one {what}, not {len(given)}")
        [table], [step], [topic] = decision.tables, decision.steps, decision.sends
        self._stage = decision.name
        self._step: Step = step
        self._keyed = decision.key is not None
        self._input = ports.topic.name
        self._joined = issubclass(table.row, JoinedRow)
        self._rows = ports.rows[table.name]
        self._send = ports.sender(topic)
        self._metrics = ports.metrics

    def fold(self, task: Task, record: Record, message: Any) -> None:
        # What was forwarded always has a key.
        key = record.key or b"" if self._keyed else channel_key(message.channel_id)
        row: Row = self._rows.get(task, key)
        outputs = self._folded(row, message, record.offset, key)
        values = [(channel_key(output.channel_id), encode(output)) for output in outputs]
        self._rows.write(task, key, encode_row(row), record.timestamp_ms)
        for channel, value in values:
            self._send(task, channel, value, message.observed_at_ms)
        if values:
            self._metrics.sent(self._stage, len(values))

    def measure(self, record: Record) -> None:
        """There is nothing to measure."""

    def _folded(self, row: Any, message: Any, offset: int, key: bytes) -> Sequence[Any]:
        if self._joined:
            row.turn_to(self._input)
        outputs = self._step(row, message, offset, *((key,) if self._keyed else ()))
        if self._joined:
            row.note(self._input)
        return outputs
