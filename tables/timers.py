"""Timers of a decision: the row of a key's timers, and the order in which those of a task fire.

Pure. `agents.engine.timers` keeps both in step with the table; nothing here knows a clock.
"""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import msgspec

from tables.rows import Row

#: Timers that one key of a decision may have at a time, each under a name of its own.
MOST_TIMERS = 8
#: Entries of the heap that no longer hold are dropped when there are so many beyond the others.
_SLACK = 64


class TimerRow(Row, array_like=True, gc=False):
    """The timers of one key. A key without timers has no row."""

    #: By name: when it fires, in event time.
    due_ms: dict[str, int] = msgspec.field(default_factory=dict)
    #: When the log appended the last message that moved one of them. 0 where it is not known.
    moved_ms: int = 0


class Timer(NamedTuple):
    """One timer. Timers fire in the order of these fields."""

    due_ms: int
    key: bytes
    name: str = ""


class TimerOrder:
    """The timers of one task in the order in which they fire: by time, then by key.

    To find the first costs no walk over the keys: a heap holds all, and entries that were moved or
    cancelled are dropped when they come up.
    """

    def __init__(self) -> None:
        self._due: dict[bytes, dict[str, int]] = {}
        self._heap: list[Timer] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, key: bytes) -> Mapping[str, int]:
        """The timers of a key: by name, when each fires."""
        return self._due.get(key, {})

    def set(self, timer: Timer) -> None:
        """Raises ValueError where the key has MOST_TIMERS others."""
        due = self._due.setdefault(timer.key, {})
        if due.get(timer.name) == timer.due_ms:
            return
        if timer.name not in due:
            if len(due) >= MOST_TIMERS:
                raise ValueError(f"more than {MOST_TIMERS} timers of one key")
            self._count += 1
        due[timer.name] = timer.due_ms
        heappush(self._heap, timer)
        if len(self._heap) > 2 * self._count + _SLACK:
            self._rebuild()

    def cancel(self, key: bytes, name: str = "") -> None:
        """Nothing happens where there is none."""
        due = self._due.get(key)
        if due is None or due.pop(name, None) is None:
            return
        self._count -= 1
        if not due:
            del self._due[key]

    def first(self) -> Timer | None:
        """The timer that fires next; it stays."""
        heap = self._heap
        while heap and not self._holds(heap[0]):
            heappop(heap)
        return heap[0] if heap else None

    def put_off(self) -> Timer:
        """Take the first out of the order, until `put_back`. Raises IndexError for none."""
        return heappop(self._heap)

    def put_back(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            heappush(self._heap, timer)

    def first_of(self, key: bytes) -> Timer | None:
        """The timer of a key that fires next; it stays."""
        due = self._due.get(key)
        if due is None:
            return None
        return min(Timer(due_ms, key, name) for name, due_ms in due.items())

    def _holds(self, timer: Timer) -> bool:
        due = self._due.get(timer.key)
        return due is not None and due.get(timer.name) == timer.due_ms

    def _rebuild(self) -> None:
        self._heap = [
            Timer(due_ms, key, name)
            for key, due in self._due.items()
            for name, due_ms in due.items()
        ]
        heapify(self._heap)
