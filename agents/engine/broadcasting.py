"""What becomes of a broadcast in the body: who is concerned by it, and where it goes on.

It goes on to the inputs that follow in the commit of all that the messages before it led to. So a
decision on analytics.windows sees it after the windows of everything that was observed before it.
"""

from collections.abc import Sequence
from typing import Any

from agents.engine.decision import TimedHandler
from agents.engine.sending import Sender
from agents.engine.settings import Settings
from streams.context import Task
from streams.log import Record


class Ticks:
    """Implements Handler for the ticks of one input."""

    def __init__(self, timed: Sequence[TimedHandler], after: Sequence[Sender]) -> None:
        """`timed` of the input, in the order of the pipeline; `after` send to what follows it."""
        self._timed = timed
        self._after = after

    def fold(self, task: Task, record: Record, message: Any) -> None:
        for handler in self._timed:
            handler.advance(task, record, message.at_ms)
        for send in self._after:
            send(task, None, record.value, record.timestamp_ms)

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
