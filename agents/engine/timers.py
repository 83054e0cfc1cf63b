"""The durable timers of one decision, in the order in which they fire.

They lie in a table beside the decision's: a timer that a message sets is committed with the
message's row and outputs, and is there after a crash and on another worker. The order is kept in
memory, a task at a time, and read from the table when it is first needed.
"""

from collections.abc import Mapping

from agents.engine.cache import RowCache
from streams.context import Task
from tables.timers import Timer, TimerOrder, TimerRow


class Timers:
    """Whoever calls knows how far event time is."""

    def __init__(self, rows: RowCache[TimerRow], lateness_ms: int) -> None:
        #: A timer fires when event time is so far behind it.
        self.lateness_ms = lateness_ms
        self._rows = rows
        self._orders: dict[Task, TimerOrder] = {}

    def forget(self) -> None:
        """The tasks of this process have changed."""
        self._orders.clear()

    def first(self, task: Task) -> Timer | None:
        """The timer of a task that fires next."""
        return self._order(task).first()

    def first_of(self, task: Task, key: bytes) -> Timer | None:
        """The timer of a key that fires next."""
        return self._order(task).first_of(key)

    def move(
        self, task: Task, key: bytes, moves: Mapping[str, int | None], offset: int, at_ms: int
    ) -> None:
        """Set timers of a key, and cancel those that are None; `offset` of the message that did.

        Raises ValueError where a key would have too many.
        """
        order = self._order(task)
        before = dict(order.of(key))
        for name, due_ms in moves.items():
            if due_ms is None:
                order.cancel(key, name)
        for name, due_ms in moves.items():
            if due_ms is not None:
                order.set(Timer(due_ms, key, name))
        after = order.of(key)
        if after == before:
            return
        if after:
            row = TimerRow(last_offset=offset, due_ms=dict(sorted(after.items())))
            self._rows.put(task, _prefix(task) + key, row, at_ms)
        else:
            self._rows.drop(task, _prefix(task) + key, at_ms)

    def _order(self, task: Task) -> TimerOrder:
        order = self._orders.get(task)
        if order is None:
            order = self._orders[task] = TimerOrder()
            prefix = _prefix(task)
            for full, row in self._rows.items(task):
                if full.startswith(prefix):
                    for name, due_ms in row.due_ms.items():
                        order.set(Timer(due_ms, full[len(prefix) :], name))
        return order


def _prefix(task: Task) -> bytes:
    """Whose timer it is, also where one process keeps the rows of all tasks in one map."""
    return b"%d/" % task
