"""The ports of a decision in one process: rows, senders, metrics, a clock for measurements."""

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
    """A table of rows; the key of each begins with the key of its messages."""

    name: str
    row: type[Row]


class Bury(Protocol):
    """Sends a message, or a part of one, to the dead letters of its topic, within its commit."""

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
    """Made by the engine once per topic that is read."""

    #: The topic.
    topic: Topic
    #: The rows of each table, by its name. A decision on several topics shares its rows.
    rows: Mapping[str, RowCache[Any]]
    #: Of each decision that has some, by its name.
    timers: Mapping[str, Timers]
    #: Of the input; None where no decision of the pipeline has any.
    settings: Settings | None
    sender: Callable[[Topic], Sender]
    bury: Bury
    metrics: Metrics
    #: The clock by which sources stamp observations. For measurements only: decisions must not
    #: read it.
    clock: Clock
    watermarks: Watermarks
    #: All kinds of message that this process knows.
    kinds: Kinds
