"""The body of the one agent on a topic: a batch of messages at a time, and it never waits.

Faust acknowledges a batch when its body is left, even by an error (and would commit it). So a
message that cannot be read becomes a dead letter inside the body, and an unknown error ends the
process before the body is left. Because nothing is awaited between the first thing that a body
sends and its end, a log commits all of a batch or nothing.

Faust is given the messages of one partition in batches, because it costs several times what a
small decision does: see streams.faust.consumer.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from agents.engine.dead import DeadCount, DeadLimit, dead_headers
from agents.engine.decision import Handler, Reader
from agents.engine.ports import Bury
from agents.engine.reasons import DeadReason, Rejected
from agents.engine.sending import Headers, Sender
from streams.context import Task
from streams.faust.app import Stream
from streams.log import Record
from streams.metrics import Metrics
from streams.tracing import Span, Traces

#: Ends the process; called with an error that nothing can be done about. It may return, so that
#: the process ends in order.
Fatal = Callable[[Exception], None]

#: One message of so many is timed.
TIMED = 16


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
        handlers: Mapping[type, Sequence[Handler]],
        *,
        bury: Bury,
        metrics: Metrics,
        limit: DeadLimit,
        fatal: Fatal,
        traces: Traces | None = None,
    ) -> None:
        """`handlers` of each kind that `reader` reads, in the order in which they are called."""
        self.stage = stage
        self._read = reader.read
        self._folds = {kind: tuple(h.fold for h in taking) for kind, taking in handlers.items()}
        self._handlers = tuple({id(h): h for taking in handlers.values() for h in taking}.values())
        self._bury = bury
        self._count = DeadCount(topic, limit)
        self._metrics = metrics
        self._fatal = fatal
        self._traces = traces
        self._taken = 0
        self._span = f"{stage}.fold"

    async def run(self, stream: Stream) -> None:
        """The body of the agent. Each value is a batch of records of one partition."""
        async for records in stream:
            event = stream.current_event
            assert event is not None
            try:
                self.take(event.message.partition, records)
            except Exception as error:  # noqa: BLE001 (the top loop: whatever it is, it ends here)
                self._metrics.error(self.stage, type(error).__name__)
                self._fatal(error)
                # The body must not be left: that would acknowledge the batch.
                await asyncio.Event().wait()

    def take(self, task: Task, records: Sequence[Record]) -> None:
        """Process records of one partition, in order."""
        self._metrics.received(self.stage, len(records))
        for record in records:
            self._taken += 1
            if self._taken % TIMED:
                self._process(task, record)
            else:
                self._process_timed(task, record)

    def _process_timed(self, task: Task, record: Record) -> None:
        """Some are timed and not all: that costs as much as the smallest of them."""
        started = time.perf_counter()
        self._process(task, record)
        took_s = time.perf_counter() - started
        self._metrics.observe("analyticbot_stage_seconds", took_s, stage=self.stage)
        for handler in self._handlers:
            handler.measure(record)

    def _process(self, task: Task, record: Record) -> None:
        span = None if self._traces is None else self._follow(self._traces, task, record)
        if span is None:
            self._handle(task, record)
            return
        # What is sent within continues the trace.
        with span:
            self._handle(task, record)

    def _follow(self, traces: Traces, task: Task, record: Record) -> Span | None:
        place = {"partition": task, "offset": record.offset}
        return traces.follow(self._span, record.headers, **place)

    def _handle(self, task: Task, record: Record) -> None:
        try:
            message = self._read(task, record)
        except Rejected as rejected:
            self._count.note(rejected.reason)
            self._bury(task, record, record.value, rejected.reason, str(rejected), {})
            return
        self._count.note(None)
        if message is not None:
            for fold in self._folds.get(type(message), ()):
                fold(task, record, message)
