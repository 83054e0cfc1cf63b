"""A decision: one declaration, from which the engine builds everything that runs it.

`agents.pipeline` lists the declarations. The app, its agents, tables and changelogs, the topics,
the lag of each stage and `analyticbot topology` are built from that list alone.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from agents.engine.ports import Ports, Table
from agents.engine.setting import Setting
from streams.context import Task
from streams.kind import Kind
from streams.log import Record
from streams.topics import Topic
from tables.ticks import TickRow
from tables.timers import TimerRow
from tables.windows import LATENESS_MS

#: Longer than what lies between two messages of a channel while its past is replayed.
SETTLED_MS = 10_000

#: Pure: the keys under which a decision folds a message, none, one or many.
KeysOf = Callable[[Any], Iterable[bytes]]


class Handler(Protocol):
    """Runs one decision in one process. Called by the engine's body; no method waits.

    An error that a handler raises ends the process, and nothing of the batch is committed. It keeps
    nothing but its ports: a second one over the same rows fills the decision (engine.past).
    """

    def fold(self, task: Task, record: Record, message: Any) -> None:
        """Fold a message of one of the decision's kinds into its rows; send what follows.

        `record` is the message as stored in the log, `task` the number of its partition. After a
        crash a message may be repeated: if the rows already contain it, the handler changes
        nothing and sends its present outputs again.
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
    """One decision: the messages it takes, its tables, where it sends, and its pure steps."""

    #: Tags its metrics; also names the topic of a decision with a key.
    name: str
    #: Partition n of all of them is one task. Each topic is read in the order of its log; there is
    #: no order between two topics: rows of several inputs are tables.rows.JoinedRow.
    reads: tuple[Topic, ...]
    #: The types of the messages that it takes; it never gets others.
    kinds: tuple[type, ...]
    #: Pure functions, in the order of their calls. The handler defines their signature.
    steps: tuple[Callable[..., Any], ...]
    tables: tuple[Table, ...]
    sends: tuple[Topic, ...]
    #: Kinds of message that only this decision sends. Shared kinds are in streams.kinds.
    declares: tuple[Kind[Any], ...] = ()
    #: Makes the handler that runs the steps: engine.one_row.OneRow if a key has one row.
    handler: Callable[["Decision", Ports], Handler]
    #: None: the channel. With a key the engine forwards each message under each of its keys to a
    #: repartition topic, which the decision reads instead of `reads` (engine.plan).
    key: KeysOf | None = None
    #: How it begins on an installation that has run without it. "log": it folds what the log
    #: holds before it goes live, and sends nothing of that. "nothing": it is live at once.
    fill: Literal["log", "nothing"] = "log"
    #: What is done when a timer fires, which a step has set: a pure function like the steps.
    #: None: the decision has no timers, and pays nothing for them.
    on_time: Callable[..., Any] | None = None
    #: A timer fires when event time is so far behind it: until then, what is late still comes in
    #: before it.
    lateness_ms: int = LATENESS_MS
    #: A tick passes over keys of which a message has moved a timer so shortly before it, by the
    #: times at which the log appended both: their messages are coming in, and say themselves what
    #: time it is. So a recording that is replayed beside live channels is not taken for silent.
    settled_ms: int = SETTLED_MS
    #: What of that which operators set it depends on.
    settings: tuple[Setting[Any], ...] = ()

    @property
    def timers(self) -> Table | None:
        """The table of its timers."""
        return None if self.on_time is None else Table(f"{self.name}-timers", TimerRow)

    @property
    def ticks(self) -> Table | None:
        """Of a decision with a key: how far event time is upstream (engine.upstream)."""
        return None if self.key is None else Table(f"{self.name}-ticks", TickRow)

    @property
    def kept(self) -> tuple[Table, ...]:
        """All its tables: those that it names, and that of its timers."""
        return self.tables if self.timers is None else (*self.tables, self.timers)


class Reader(Protocol):
    """Reads the records of one topic, once for all decisions on it."""

    def read(self, task: Task, record: Record) -> Any:
        """The message, or None if no decision takes it. Never waits.

        Raises Rejected, before any effect, if the record belongs to the dead letters.
        """


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A topic that decisions read, and how its bytes become messages. One Faust agent per topic."""

    topic: Topic
    #: Tags the metrics of received, rejected and failed messages, and names their spans.
    stage: str
    #: Called once, with the kinds that some decision takes.
    reader: Callable[[Ports, frozenset[type]], Reader]
    #: Of a repartition topic: the topics it is filled from. A message in any partition of these
    #: may go to any partition of this one.
    upstream: tuple[Topic, ...] = ()


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group that stores its records outside of the log. Not a decision."""

    name: str
    group: str
    reads: tuple[Topic, ...]
    stores: tuple[str, ...]
