"""Which decisions on a topic take which of its messages: all but those that are being filled."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Protocol

from agents.engine.decision import TimedHandler
from agents.engine.fills import Book, Fill, place_of
from agents.engine.sending import FILLED
from streams.context import ProcessorContext, Task
from streams.log import Record

#: Records that follow one another, and the decisions that do not take them.
Part = tuple[Sequence[Record], frozenset[str]]

_NOBODY: frozenset[str] = frozenset()


class Silent(Protocol):
    """A decision that sends nothing: engine.past.Past."""

    name: str

    def fold(self, task: Task, records: Sequence[Record]) -> None: ...


class Gate:
    """Of one topic. Costs a look-up per batch once every decision is live."""

    def __init__(
        self, topic: str, book: Book, context: ProcessorContext, *, forwarded: bool = False
    ) -> None:
        """`forwarded`: the messages of the topic are those that the engine forwards."""
        self.topic = topic
        self._forwarded = forwarded
        #: The decisions on the topic, set before the first message.
        self.pasts: Sequence[Silent] = ()
        self._book = book
        self._context = context
        #: Tasks in which every decision takes everything.
        self._open: set[Task] = set()
        self._next: dict[Task, int] = {}
        book.on_restart.append(self._open.discard)

    def forget(self) -> None:
        """The tasks of this process have changed."""
        self._open.clear()
        self._next.clear()

    def parts(self, task: Task, records: Sequence[Record]) -> Iterable[Part]:
        """The records in parts that are taken by the same decisions, in order.

        Each part is to be folded before the next is asked for.
        """
        if self._forwarded:
            return self._of_forwarded(task, records)
        return self._of_all(task, records)

    def reached(self, task: Task) -> int | None:
        """The next offset that live decisions take. None: they begin where the log does."""
        at = self._next.get(task)
        return self._context.position(task, self.topic) if at is None else at

    def takes(self, task: Task, name: str, offset: int) -> bool:
        """Whether a decision is live at an offset."""
        if task in self._open:
            return True
        fill = self.fill(task, name)
        return fill.state == "live" and fill.next <= offset

    def behind(self, task: Task) -> list[str]:
        """The decisions that are to be filled."""
        fills = self._book.of(task)
        names = [past.name for past in self.pasts]
        return [name for name in names if fills[place_of(name, self.topic)].state != "live"]

    def fill(self, task: Task, name: str) -> Fill:
        return self._book.of(task)[place_of(name, self.topic)]

    def moved(self, task: Task, name: str) -> bool:
        """A fill has come further: go live if that is far enough; whether it did."""
        fill = self.fill(task, name)
        far = max(fill.until or 0, self.reached(task) or 0)
        if fill.state == "filling" and fill.until is not None and fill.next >= far:
            fill.state = "live"
        self._book.write(task)
        return fill.state == "live"

    def restart(self, task: Task, name: str, rebuild_ms: int) -> None:
        """Have a decision forget its rows, then be filled again, from all of its topics."""
        self._book.restart(task, name, rebuild_ms)

    def forgotten(self, task: Task, name: str) -> None:
        """All rows of a decision are deleted."""
        self._book.forgotten(task, name)

    def _of_forwarded(self, task: Task, records: Sequence[Record]) -> Iterator[Part]:
        """What was forwarded by a decision that was filled is folded here, and sends nothing."""
        for is_filled, of in groupby(records, key=lambda record: FILLED in record.headers):
            for part, waiting in self._of_all(task, list(of)):
                if not is_filled:
                    yield part, waiting
                    continue
                for past in self.pasts:
                    if past.name not in waiting:
                        past.fold(task, part)

    def _of_all(self, task: Task, records: Sequence[Record]) -> Iterable[Part]:
        if task in self._open:
            self._next[task] = records[-1].offset + 1
            return ((records, _NOBODY),)
        return self._parts(task, records)

    def _parts(self, task: Task, records: Sequence[Record]) -> Iterator[Part]:
        first, end = records[0].offset, records[-1].offset + 1
        waiting = frozenset(self.behind(task))
        # Who was filled beyond the live position takes nothing twice.
        ahead = {
            past.name: at
            for past in self.pasts
            if past.name not in waiting and (at := self.fill(task, past.name).next) > first
        }
        edges = sorted({first, *(at for at in ahead.values() if at < end)})
        for start, stop in zip(edges, [*edges[1:], end], strict=True):
            part = [record for record in records if start <= record.offset < stop]
            late = {name for name, at in ahead.items() if at > start}
            if part:
                self._next[task] = part[-1].offset + 1
                yield part, waiting | late
        if not waiting and all(at <= end for at in ahead.values()):
            self._open.add(task)


class WhenLive:
    """Implements TimedHandler: the timers of a decision, which a tick fires once it is live."""

    def __init__(self, handler: TimedHandler, gate: Gate, name: str) -> None:
        self.fold, self.measure = handler.fold, handler.measure
        self._handler = handler
        self._gate = gate
        self._name = name

    def advance(self, task: Task, record: Record, at_ms: int) -> None:
        if self._gate.takes(task, self._name, record.offset):
            self._handler.advance(task, record, at_ms)
