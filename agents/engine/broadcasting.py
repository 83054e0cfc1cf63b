"""What becomes of a broadcast in the body: who is concerned by it, and where it goes on.

It goes on to the inputs that follow in the commit of all that the messages before it led to. So a
decision on analytics.windows sees it after the windows of everything that was observed before it.
"""

from collections.abc import Sequence
from typing import Any

from agents.engine.decision import TimedHandler
from agents.engine.sending import Sender, Spread
from agents.engine.settings import Settings
from agents.engine.upstream import UPSTREAM, Upstream, place_of
from streams.broadcasts import Tick
from streams.codec import encode
from streams.context import Task
from streams.log import Record
from streams.topics import Topic


class Ticks:
    """Implements Handler for the ticks of one input."""

    def __init__(
        self,
        topic: Topic,
        timed: Sequence[TimedHandler],
        after: Sequence[Sender],
        keyed: Sequence[Spread],
        upstream: Upstream | None,
    ) -> None:
        """`timed` of the input, in the order of the pipeline; `after` and `keyed` send to what
        follows it, `keyed` to topics of keys; `upstream` where it is one itself."""
        self._topic = topic
        self._timed = timed
        self._after = after
        self._keyed = keyed
        self._upstream = upstream

    def fold(self, task: Task, record: Record, message: Any) -> None:
        at_ms, value = message.at_ms, record.value or b""
        if self._upstream is not None:
            moved = self._upstream.moved(task, record, at_ms)
            if moved is None:
                return
            at_ms, value = moved, encode(Tick(at_ms=moved))
        for handler in self._timed:
            handler.advance(task, record, at_ms)
        for send in self._after:
            send(task, None, value, record.timestamp_ms)
        for spread in self._keyed:
            here = {UPSTREAM: place_of(self._topic, task).encode()}
            spread(task, value, record.timestamp_ms, here)

    def measure(self, record: Record) -> None:
        """There is nothing to measure."""


class Changes:
    """Implements Handler for the changes of settings on one input."""

    def __init__(self, settings: Settings, after: Sequence[Sender]) -> None:
        self._settings = settings
        self._after = after

    def fold(self, task: Task, record: Record, message: Any) -> None:
        self._settings.apply(task, message, record.offset, record.timestamp_ms)
        for send in self._after:
            send(task, None, record.value, record.timestamp_ms)

    def measure(self, record: Record) -> None:
        """There is nothing to measure."""
