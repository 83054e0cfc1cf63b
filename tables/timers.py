"""Timers of a decision: the row of a key's timers, and the order in which a task's timers fire.

Pure: no clock. `agents.engine.timers` keeps both consistent with the table.
"""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import msgspec

from tables.rows import Row

#: The most timers that one key of a decision may have at a time, each with a different name.
MOST_TIMERS = 8
#: The heap is rebuilt when it exceeds twice the number of timers by this many entries.
_SLACK = 64


class TimerRow(Row, array_like=True, gc=False):
    """The timers of one key. A key without timers has no row."""

    #: When each timer fires, in event time, by name.
    due_ms: dict[str, int] = msgspec.field(default_factory=dict)
    #: When the log appended the last message that moved one of the timers; 0 if unknown.
    moved_ms: int = 0


class Timer(NamedTuple):
    """One timer. Timers fire in the order of these fields."""

    due_ms: int
    key: bytes
    name: str = ""


class TimerOrder:
    """The timers of one task in the order in which they fire: by time, then by key.

    A heap makes the first timer available without a scan of the keys. Entries of timers that were
    moved or cancelled stay in the heap until they reach its top.
    """

    def __init__(self) -> None:
        self._due: dict[bytes, dict[str, int]] = {}
        self._heap: list[Timer] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, key: bytes) -> Mapping[str, int]:
        """When each timer of a key fires, by name."""
        return self._due.get(key, {})

    def set(self, timer: Timer) -> None:
        """Add or move a timer. Raises ValueError if the key already has MOST_TIMERS others."""
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
        """Cancel a timer; without effect if it does not exist."""
        due = self._due.get(key)
        if due is None or due.pop(name, None) is None:
            return
        self._count -= 1
        if not due:
            del self._due[key]

    def first(self) -> Timer | None:
        """The timer that fires next, which stays in the order; None if there is none."""
        heap = self._heap
        while heap and not self._holds(heap[0]):
            heappop(heap)
        return heap[0] if heap else None

    def put_off(self) -> Timer:
        """Remove the first timer from the order until `put_back`. Called right after `first`.

        Raises IndexError if there is none.
        """
        return heappop(self._heap)

    def put_back(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            heappush(self._heap, timer)

    def first_of(self, key: bytes) -> Timer | None:
        """The key's timer that fires next, which stays in the order; None if there is none."""
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
