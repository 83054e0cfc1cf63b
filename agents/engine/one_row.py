"""Runs a decision that keeps one row per key and has one step over it."""

from collections.abc import Callable, Sequence
from typing import Any

from agents.engine.decision import Decision
from agents.engine.ports import Ports
from agents.engine.step_context import StepContext
from streams.codec import encode
from streams.context import Task
from streams.log import Record
from streams.topics import channel_key
from tables.rows import JoinedRow, Row
from tables.timers import Timer

#: (row, message, context) -> outputs; folds the message into the row, in place.
Step = Callable[[Any, Any, StepContext], Sequence[Any]]
#: (row, timer, context) -> outputs; folds into the row, in place, that time has come.
OnTime = Callable[[Any, Timer, StepContext], Sequence[Any]]


class OneRow:
    """Implements TimedHandler. The decision names one table, one step and one topic.

    Outputs are sent under their channel, as every message of analytics.* is.
    """

    def __init__(self, decision: Decision, ports: Ports) -> None:
        """Raises ValueError if the decision declares more or fewer."""
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
        self._on_time: OnTime | None = decision.on_time
        self._keyed = decision.key is not None
        self._input = ports.topic.name
        self._joined = issubclass(table.row, JoinedRow)
        self._rows = ports.rows[table.name]
        self._timers = ports.timers.get(decision.name)
        self._settings = ports.settings if decision.settings else None
        self._send = ports.sender(topic)
        self._metrics = ports.metrics
        # A decision without settings has none to ask for.
        self._context = StepContext(values={})

    def fold(self, task: Task, record: Record, message: Any) -> None:
        channel = channel_key(message.channel_id)
        # A forwarded message always has a key.
        key = record.key or b"" if self._keyed else channel
        row = self._row(task, key)
        context = self._context
        context.offset, context.key = record.offset, key
        if self._settings is not None:
            context.values = self._settings.of(task, channel)
        if self._timers is None:
            outputs = self._step(row, message, context)
        else:
            outputs = self._fold_timed(task, row, record, message)
        self._leave(task, key, row, record)
        self._put(task, outputs, message.observed_at_ms)

    def advance(self, task: Task, record: Record, at_ms: int) -> None:
        """Implements TimedHandler."""
        timers, context = self._timers, self._context
        assert timers is not None
        until_ms = at_ms - timers.lateness_ms
        waiting: list[Timer] = []
        while (timer := timers.first(task)) is not None and timer.due_ms <= until_ms:
            if not timers.is_settled(task, timer.key, record.appended_ms):
                waiting.append(timers.put_off(task))
                continue
            row = self._row(task, timer.key)
            if record.offset < row.last_offset:
                # The tick comes again, and what was due then has fired; what is due now was set
                # since, and fires with the tick that fired it before, or with the next one.
                break
            context.key = timer.key
            if self._settings is not None:
                context.values = self._settings.of(task, timer.key)
            self._fire(task, row, record, timer)
            row.last_offset = record.offset
            self._leave(task, timer.key, row, record)
        timers.put_back(task, waiting)

    def measure(self, record: Record) -> None:
        """Implements Handler; measures nothing."""

    def _fold_timed(self, task: Task, row: Row, record: Record, message: Any) -> Sequence[Any]:
        """What is due by the time of the message fires before it; then the message is folded."""
        timers, context = self._timers, self._context
        assert timers is not None
        key, is_new = context.key, record.offset > row.last_offset
        until_ms = message.observed_at_ms - timers.lateness_ms
        while is_new and (timer := timers.first_of(task, key)) and timer.due_ms <= until_ms:
            self._fire(task, row, record, timer)
        context.begin(record.offset)
        outputs = self._step(row, message, context)
        if is_new and context.moves:
            timers.move(task, key, context.moves, record)
        return outputs

    def _fire(self, task: Task, row: Row, record: Record, timer: Timer) -> None:
        timers, on_time, context = self._timers, self._on_time, self._context
        assert timers is not None
        assert on_time is not None
        context.begin(record.offset, timer.due_ms)
        outputs = on_time(row, timer, context)
        moves = {timer.name: None, **context.moves}
        timers.move(task, timer.key, moves, record, fired=True)
        self._put(task, outputs, timer.due_ms)

    def _row(self, task: Task, key: bytes) -> Any:
        """Its `last_offset` is that of the input, until `_leave`."""
        row = self._rows.get(task, key)
        if self._joined:
            row.turn_to(self._input)
        return row

    def _leave(self, task: Task, key: bytes, row: Any, record: Record) -> None:
        if self._joined:
            row.note(self._input)
        self._rows.put(task, key, row, record.timestamp_ms)

    def _put(self, task: Task, outputs: Sequence[Any], at_ms: int) -> None:
        if outputs:
            for output in outputs:
                self._send(task, channel_key(output.channel_id), encode(output), at_ms)
            self._metrics.sent(self._stage, len(outputs))
