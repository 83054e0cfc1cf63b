"""The body of the one agent on a topic: one batch of messages at a time, without waiting.

Faust acknowledges a batch when its body returns or raises, and would then commit it. So an
unreadable message becomes a dead letter inside the body, and an unknown error ends the process
before the body returns. Nothing is awaited between the first effect of a batch and its end, so a
log commits a batch whole or not at all.

Faust receives the messages of one partition in batches, because a message through Faust costs
several times as much as a small decision: see streams.faust.consumer.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from agents.engine.cache import RowCache
from agents.engine.dead import DeadCount, DeadLimit, dead_headers
from agents.engine.decision import Handler, Reader
from agents.engine.gate import Gate
from agents.engine.ports import Bury
from agents.engine.reasons import DeadReason, Rejected
from agents.engine.sending import Headers, Sender
from streams.context import Task
from streams.faust.app import Stream
from streams.log import Record
from streams.metrics import Metrics
from streams.tracing import Traces

#: Called with an unrecoverable error; ends the process. It may return, so that the process can
#: shut down in order.
Fatal = Callable[[Exception], None]

_Folds = Mapping[type, Sequence[Callable[[Task, Record, Any], None]]]


class Graveyard:
    """The dead letters of one topic."""

    def __init__(self, topic: str, stage: str, send: Sender, metrics: Metrics) -> None:
        self._topic = topic
        self._stage = stage
        self._send = send
        self._metrics = metrics

    def __call__(
        self,
        task: Task,
        record: Record,
        value: bytes | None,
        reason: DeadReason,
        detail: str,
        added: Headers,
    ) -> None:
        """Implements ports.Bury."""
        place = dead_headers(reason, detail, self._topic, task, record.offset)
        headers = {**record.headers, **place, **added}
        self._send(task, record.key, value, record.timestamp_ms, headers)
        self._metrics.dropped(self._stage, reason)


class Body:
    """Reads each message once and has every decision that takes its kind fold it."""

    def __init__(
        self,
        topic: str,
        stage: str,
        reader: Reader,
        handlers: Mapping[type, Sequence[tuple[str, Handler]]],
        rows: Sequence[RowCache[Any]],
        gate: Gate,
        *,
        bury: Bury,
        metrics: Metrics,
        limit: DeadLimit,
        fatal: Fatal,
        traces: Traces | None = None,
    ) -> None:
        """`handlers` of each kind that `reader` reads, in the order in which they are called, with
        the names of their decisions; `gate` says which of these are live.

        `rows`: all in which handlers may put rows; it is looked at, not kept.
        """
        self.stage = stage
        self._read = reader.read
        self._named = handlers
        self._gate = gate
        self._without: dict[frozenset[str], _Folds] = {}
        #: Of the decisions that take the records that are processed.
        self._folds: _Folds = {}
        self._rows = rows
        self._handlers = tuple(
            {id(h): h for taking in handlers.values() for _, h in taking}.values()
        )
        self._bury = bury
        self._count = DeadCount(topic, limit)
        self._metrics = metrics
        self._fatal = fatal
        self._traces = traces
        self._span = f"{stage}.fold"

    async def run(self, stream: Stream) -> None:
        """The body of the agent; Faust calls it. A value is a batch of one partition's records."""
        async for records in stream:
            event = stream.current_event
            assert event is not None
            try:
                self.take(event.message.partition, records)
            except Exception as error:  # noqa: BLE001 (the top loop: every error ends here)
                self._metrics.error(self.stage, type(error).__name__)
                self._fatal(error)
                # Never return: that would acknowledge the batch.
                await asyncio.Event().wait()

    def take(self, task: Task, records: Sequence[Record]) -> None:
        """Process records of one partition, in order, and write the rows that they changed."""
        self._metrics.received(self.stage, len(records))
        started = time.perf_counter()
        for part, waiting in self._gate.parts(task, records):
            self._folds = self._without.get(waiting) or self._folds_without(waiting)
            if self._traces is None:
                self._fold(task, part)
            else:
                self._fold_traced(self._traces, task, part)
        for rows in self._rows:
            rows.write()
        took_s = (time.perf_counter() - started) / len(records)
        self._metrics.observe("analyticbot_stage_seconds", took_s, stage=self.stage)
        for handler in self._handlers:
            handler.measure(records[0])

    def _folds_without(self, waiting: frozenset[str]) -> _Folds:
        folds = self._without[waiting] = {
            kind: tuple(handler.fold for name, handler in taking if name not in waiting)
            for kind, taking in self._named.items()
        }
        return folds

    def _fold(self, task: Task, records: Sequence[Record]) -> None:
        read, folds = self._read, self._folds
        processed = 0
        for record in records:
            try:
                message = read(task, record)
            except Rejected as rejected:
                self._count.note_processed(processed)
                processed = 0
                self._count.note_dead(rejected.reason)
                self._bury(task, record, record.value, rejected.reason, str(rejected), {})
                continue
            processed += 1
            if message is not None:
                for fold in folds.get(type(message), ()):
                    fold(task, record, message)
        self._count.note_processed(processed)

    def _fold_traced(self, traces: Traces, task: Task, records: Sequence[Record]) -> None:
        for record in records:
            place = {"partition": task, "offset": record.offset}
            span = traces.follow(self._span, record.headers, **place)
            # What is sent within continues the trace.
            with nullcontext() if span is None else span:
                self._fold(task, (record,))
