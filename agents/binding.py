"""One agent of the pipeline on Faust: a message at a time, in a body that never waits.

Faust acknowledges a message when its body is left, even by an error (and would commit it). So a
message that cannot be processed becomes a dead letter inside the body, and an unknown error ends
the process before the body is left. Because there is no await between the first thing a body
sends and its end, the embedded log commits all of a message or nothing.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from faust.types import EventT, StreamT

from agents.dead import DeadCount, DeadLimit, dead_headers
from agents.reasons import DeadReason, Rejected
from agents.sending import Headers, Sender
from agents.sifting import Part
from streams.codec import encode
from streams.metrics import Metrics, Stage
from streams.tracing import Span, SpanName, Traces

#: Ends the process; called with what cannot be gone on from. It may return, for an orderly end.
Fatal = Callable[[Exception], None]

#: Of so many messages the time of one is taken.
TIMED = 16


class Body:
    """What is done with each message of a topic. Subclasses say it in `handle`."""

    stage: Stage

    def __init__(
        self,
        topic: str,
        dead: Sender,
        metrics: Metrics,
        limit: DeadLimit,
        fatal: Fatal,
        traces: Traces | None = None,
    ) -> None:
        self._topic = topic
        self._dead = dead
        self._count = DeadCount(topic, limit)
        self._metrics = metrics
        self._fatal = fatal
        self._traces = traces
        self._taken = 0

    def handle(self, event: EventT[bytes]) -> None:
        """Fold one message and send what follows from it. Raises Rejected before any effect."""
        raise NotImplementedError

    def measure(self, event: EventT[bytes]) -> None:
        """Called after one message of every TIMED."""

    async def run(self, stream: StreamT[bytes]) -> None:
        """The body of the agent."""
        async for _ in stream:
            event = stream.current_event
            assert event is not None
            try:
                self._take(event)
            except Exception as error:  # noqa: BLE001 (the top loop: whatever it is, it ends here)
                self._metrics.error(self.stage, type(error).__name__)
                self._fatal(error)
                # The body must not be left: that would acknowledge the message.
                await asyncio.Event().wait()

    def _take(self, event: EventT[bytes]) -> None:
        """One message; of some the time is taken, which costs as much as the smallest of them."""
        self._taken += 1
        if self._taken % TIMED:
            self._process(event)
            return
        started = time.perf_counter()
        self._process(event)
        took_s = time.perf_counter() - started
        self._metrics.observe("analyticbot_stage_seconds", took_s, stage=self.stage)
        self.measure(event)

    def _process(self, event: EventT[bytes]) -> None:
        span = None if self._traces is None else self._follow(self._traces, event)
        if span is None:
            self._handle(event)
            return
        # What is sent within goes on with the trace.
        with span:
            self._handle(event)

    def _follow(self, traces: Traces, event: EventT[bytes]) -> Span | None:
        message: Any = event.message
        place = {"partition": message.partition, "offset": message.offset}
        name: SpanName = "updates.fold" if self.stage == "updates" else "spikes.fold"
        return traces.follow(name, message.headers or {}, **place)

    def _handle(self, event: EventT[bytes]) -> None:
        self._metrics.received(self.stage)
        try:
            self.handle(event)
        except Rejected as rejected:
            self._count.note(rejected.reason)
            self._bury(event, rejected)
        else:
            self._count.note(None)

    def bury_parts(self, event: EventT[bytes], parts: Iterable[Part]) -> None:
        """Put aside what of a message cannot be processed, while the rest of it is."""
        for part in parts:
            added = {"refused_posts": b"%d" % part.posts}
            self._put_aside(event, encode(part.event), part.reason, part.detail, added)

    def _bury(self, event: EventT[bytes], rejected: Rejected) -> None:
        self._put_aside(event, event.message.value, rejected.reason, str(rejected), {})

    def _put_aside(
        self,
        event: EventT[bytes],
        value: bytes | None,
        reason: DeadReason,
        detail: str,
        added: Headers,
    ) -> None:
        message: Any = event.message
        place = dead_headers(reason, detail, message.topic, message.partition, message.offset)
        headers = {**dict(message.headers or {}), **place, **added}
        self._dead(event, message.key, value, message.timestamp, headers)
        self._metrics.dropped(self.stage, reason)
