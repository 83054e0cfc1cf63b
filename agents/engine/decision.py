"""What a decision is: one declaration, from which the engine builds all that runs it.

`agents.pipeline` lists the declarations. The app, its agents, tables and changelogs, the topics,
the lag of each stage and `analyticbot topology` are built from that list, and from nothing else.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

import msgspec

from agents.engine.ports import Ports, Table
from agents.engine.setting import Setting
from streams.context import Task
from streams.kind import Kind
from streams.log import Record
from streams.topics import Topic
from tables.timers import TimerRow
from tables.windows import LATENESS_MS

#: The keys under which a decision folds a message: none, one or many. Pure, as a step is.
KeysOf = Callable[[Any], Iterable[bytes]]


class Handler(Protocol):
    """Runs one decision in one process. The engine calls it, and nothing in it awaits.

    Whatever a handler raises ends the process, and nothing of the batch is committed.
    """

    def fold(self, task: Task, record: Record, message: Any) -> None:
        """Fold a message of one of the decision's kinds into its rows; send what follows.

        `record` is how the message lies in the log, `task` the number of its partition. A message
        may come again after a crash: one that is in the rows already changes nothing, and its
        present outputs are sent again.
        """

    def measure(self, record: Record) -> None:
        """Called after each batch, with the first of its records: the one that took longest."""


@runtime_checkable
class TimedHandler(Handler, Protocol):
    """Runs a decision that has timers."""

    def advance(self, task: Task, record: Record, at_ms: int) -> None:
        """A tick at `at_ms` lies at `record`: fire what is due by then, of all keys of the task.

        In the order of time, then of keys. A tick may come again after a crash, as messages do.
        """


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision: what it takes, what it keeps, where it sends, and the pure steps between."""

    #: Tags its metrics; a decision with a key has a topic that is named by it.
    name: str
    #: Partition n of all of them is one task, and each is in the order of its log. Between two of
    #: them there is no order: rows of several inputs are tables.rows.JoinedRow.
    reads: tuple[Topic, ...]
    #: The types of the messages that it takes; it never sees others.
    kinds: tuple[type, ...]
    #: Pure functions, in the order in which they are called. The handler defines their signature.
    steps: tuple[Callable[..., Any], ...]
    tables: tuple[Table, ...]
    sends: tuple[Topic, ...]
    #: Kinds of message that it alone sends, declared beside it; those of streams.kinds are all's.
    declares: tuple[Kind[Any], ...] = ()
    #: Makes what runs the steps: engine.one_row.OneRow where a key has one row.
    handler: Callable[["Decision", Ports], Handler]
    #: None: the channel. A key makes the engine forward each message under each of its keys to a
    #: topic of the decision's own, whose partitions are read instead of `reads` (engine.plan).
    key: KeysOf | None = None
    #: What is done when a timer fires, which a step has set: a pure function like the steps.
    #: None: the decision has no timers, and pays nothing for them.
    on_time: Callable[..., Any] | None = None
    #: A timer fires when event time is so far behind it: until then, what is late still comes in
    #: before it.
    lateness_ms: int = LATENESS_MS
    #: What of that which operators set it depends on.
    settings: tuple[Setting[Any], ...] = ()

    @property
    def timers(self) -> Table | None:
        """The table of its timers."""
        return None if self.on_time is None else Table(f"{self.name}-timers", TimerRow)

    @property
    def kept(self) -> tuple[Table, ...]:
        """All its tables: those that it names, and that of its timers."""
        return self.tables if self.timers is None else (*self.tables, self.timers)


class Reader(Protocol):
    """Reads the records of one topic, once for all decisions on it."""

    def read(self, task: Task, record: Record) -> Any:
        """The message, or None where no decision takes it.

        Raises Rejected, before any effect, where it belongs to the dead letters.
        """


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A topic that decisions read: how its bytes become messages. One Faust agent a topic."""

    topic: Topic
    #: Tags the metrics of what is read, rejected and failed, and names its spans.
    stage: str
    #: Called with the kinds that some decision takes.
    reader: Callable[[Ports, frozenset[type]], Reader]
    #: Of a topic that the engine itself fills under other keys: where from. A message in any
    #: partition of these may go to any partition of this one.
    upstream: tuple[Topic, ...] = ()


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group that stores what it reads outside of the log. It is no decision."""

    name: str
    group: str
    reads: tuple[Topic, ...]
    stores: tuple[str, ...]
