"""What a decision works with in one process: rows, senders, metrics, a clock to measure by."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from agents.engine.cache import RowCache
from agents.engine.reasons import DeadReason
from agents.engine.sending import Headers, Sender
from agents.engine.settings import Settings
from agents.engine.timers import Timers
from agents.engine.watermarks import Watermarks
from streams.clock import Clock
from streams.context import Task
from streams.known import Kinds
from streams.log import Record
from streams.metrics import Metrics
from streams.topics import Topic
from tables.rows import Row


class Table(msgspec.Struct, frozen=True):
    """A table of rows, each under a key that begins with the key of its messages."""

    name: str
    row: type[Row]


class Bury(Protocol):
    """Puts a message, or a part of one, aside into the dead letters of its topic."""

    def __call__(
        self,
        task: Task,
        record: Record,
        value: bytes | None,
        reason: DeadReason,
        detail: str,
        added: Headers,
    ) -> None: ...


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Made by the engine for each topic that is read."""

    #: What is read.
    topic: Topic
    #: Of each table, by name. A decision on several topics has the same rows with each.
    rows: Mapping[str, RowCache[Any]]
    #: Of each decision that has some, by its name.
    timers: Mapping[str, Timers]
    #: Of the input; None where no decision of the pipeline has any.
    settings: Settings | None
    sender: Callable[[Topic], Sender]
    bury: Bury
    metrics: Metrics
    #: The clock by which sources stamp observations. Only for measurements: no decision reads it.
    clock: Clock
    watermarks: Watermarks
    #: Every kind of message that this process knows.
    kinds: Kinds
