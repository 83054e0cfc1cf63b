"""How far each decision of a task has come through the log that was there before it ran.

A decision that an installation has never run is new there. It is filled: it folds what the log
holds, from its beginning, while all others go on with what comes. What it sends meanwhile is
dropped: nobody is alerted of what is long over. It goes live once it has folded everything that
the others have. The same fills a decision whose tables an operator had rebuilt.

One row per task says this of all decisions, in the table `fills`. It is part of the same commit as
the rows that were folded, so a fill that is interrupted resumes, and folds nothing twice.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

import msgspec

from agents.engine.cache import RowCache
from agents.engine.decision import Decision
from agents.engine.ports import Table
from streams.context import ProcessorContext, Task
from tables.rows import Row

#: forgetting: its rows are being deleted. recalling: it folds what history has from before the log.
#: filling: it folds the log. live: it takes what comes.
State = Literal["forgetting", "recalling", "filling", "live"]
#: A channel and an instant: all that an archive has of it up to there, and of the channels before;
#: and how many messages that was.
Cursor = tuple[int, int, int]
NOTHING_RECALLED: Cursor = (0, 0, 0)
#: Before the first offset that the log holds.
BEGINNING = -1


class Fill(msgspec.Struct, array_like=True, gc=False):
    """Of one decision on one topic."""

    state: State
    #: It has folded every message below. Once it is live: the first that it takes.
    next: int = 0
    #: It goes live at this offset or after; None until that is known.
    until: int | None = 0
    #: The first offset that the log held when it was filled, and when that was appended.
    first: int = 0
    since_ms: int | None = None
    #: The rebuild that an operator asked for last and that was begun.
    rebuild_ms: int = 0
    #: How far history was recalled: what was observed before `since_ms`. None: nothing is.
    recalled: Cursor | None = None


class Fills(Row):
    """Of all decisions of one task, by name and topic."""

    fills: dict[str, Fill] = msgspec.field(default_factory=dict)


TABLE = Table("fills", Fills)


def place_of(decision: str, topic: str) -> str:
    return f"{decision}@{topic}"


class Book:
    """The rows of the tasks that this process has. Settles what is new in a task on first use.

    All calls are made while the task may be worked on (ProcessorContext.owned).
    """

    def __init__(
        self,
        decisions: Sequence[Decision],
        forwards: Collection[str],
        rows: RowCache[Fills],
        context: ProcessorContext,
    ) -> None:
        """What `forwards` is never forgotten: its rows say what is in the topic of keys."""
        self._decisions = {decision.name: decision for decision in decisions}
        self._kept = forwards
        self._places = {
            place_of(name, topic.name)
            for name, decision in self._decisions.items()
            for topic in decision.reads
        }
        self._topics = {topic.name for each in decisions for topic in each.reads}
        self._rows = rows
        self._context = context
        self._settled: dict[Task, Fills] = {}
        #: Called with a task in which a decision is no longer live.
        self.on_restart: list[Callable[[Task], None]] = []

    def forget(self) -> None:
        """The tasks of this process have changed."""
        self._settled.clear()

    def of(self, task: Task) -> Mapping[str, Fill]:
        """Of every decision on each of its topics."""
        return self._row(task).fills

    def write(self, task: Task) -> None:
        """Put what was changed in `of(task)` into the commit under way."""
        self._rows.put(task, _key(task), self._row(task), 0)
        self._rows.write()

    def restart(self, task: Task, name: str, rebuild_ms: int) -> None:
        """Have a decision forget its rows, then be filled."""
        self._set(task, name, Fill("forgetting", BEGINNING, None, rebuild_ms=rebuild_ms))
        for restarted in self.on_restart:
            restarted(task)

    def forgotten(self, task: Task, name: str) -> None:
        """All rows of a decision are deleted: it is filled from all of its topics."""
        for topic in self._decisions[name].reads:
            self.of(task)[place_of(name, topic.name)].state = "filling"
        self.write(task)

    def _set(self, task: Task, name: str, fill: Fill) -> None:
        for topic in self._decisions[name].reads:
            place = place_of(name, topic.name)
            self._row(task).fills[place] = msgspec.structs.replace(fill)
        self.write(task)

    def _row(self, task: Task) -> Fills:
        found = self._settled.get(task)
        return self._settle(task) if found is None else found

    def _settle(self, task: Task) -> Fills:
        row = self._rows.get(task, _key(task))
        known = set(row.fills)
        for place in known - self._places:
            # It misses what comes from now on: should it return, it is filled again.
            del row.fills[place]
        for decision in self._decisions.values():
            row.fills |= self._new(task, decision, known)
        self._settled[task] = row
        if known != self._places:
            self.write(task)
        return row

    def _new(self, task: Task, decision: Decision, known: Collection[str]) -> dict[str, Fill]:
        """How a decision begins on topics on which it never ran in this task.

        A task of which nothing is `known` is new, or was run by a version without fills.
        """
        topics = [topic.name for topic in decision.reads]
        new = [topic for topic in topics if place_of(decision.name, topic) not in known]
        if not decision.tables or decision.fill == "nothing":
            return {place_of(decision.name, topic): Fill("live") for topic in new}
        has_rows = any(self._context.has_rows(task, table.name) for table in decision.kept)
        if new and not known and (has_rows or self._is_new(task)):
            return {place_of(decision.name, topic): Fill("live") for topic in new}
        state: State = "filling"
        if new and has_rows and decision.name not in self._kept:
            # Its rows are not those of a decision on all of these topics.
            state, new = "forgetting", topics
        return {
            place_of(decision.name, topic): Fill(
                state, BEGINNING, self._context.position(task, topic)
            )
            for topic in new
        }

    def _is_new(self, task: Task) -> bool:
        return all(self._context.position(task, topic) is None for topic in self._topics)


def _key(task: Task) -> bytes:
    """The table's partition says it as well; decoded rows are kept by key alone."""
    return b"%d" % task
