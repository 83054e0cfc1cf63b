"""The durable timers of one decision, in the order in which they fire.

They lie in a table beside the decision's: a timer that a message sets is committed with the
message's row and outputs, and is there after a crash and on another worker. The order is kept in
memory, a task at a time, and read from the table when it is first needed.
"""

from collections.abc import Iterable, Mapping

from agents.engine.cache import RowCache
from streams.context import Task
from streams.log import Record
from tables.timers import Timer, TimerOrder, TimerRow


class Timers:
    """Whoever calls knows how far event time is."""

    def __init__(self, rows: RowCache[TimerRow], lateness_ms: int, settled_ms: int) -> None:
        """Both as the decision declares them."""
        self.lateness_ms = lateness_ms
        self._settled_ms = settled_ms
        self._rows = rows
        self._orders: dict[Task, TimerOrder] = {}
        #: When each key was moved last, as its row says.
        self._moved_ms: dict[Task, dict[bytes, int]] = {}

    def forget(self) -> None:
        """The tasks of this process have changed."""
        self._orders.clear()
        self._moved_ms.clear()

    def first(self, task: Task) -> Timer | None:
        """The timer of a task that fires next."""
        return self._order(task).first()

    def first_of(self, task: Task, key: bytes) -> Timer | None:
        """The timer of a key that fires next."""
        return self._order(task).first_of(key)

    def is_settled(self, task: Task, key: bytes, ticked_ms: int) -> bool:
        """Whether a tick that was appended at `ticked_ms` concerns the timers of a key."""
        self._order(task)
        return self._moved_ms[task].get(key, 0) <= ticked_ms - self._settled_ms or not ticked_ms

    def put_off(self, task: Task) -> Timer:
        """Take the first timer out of the order, until `put_back`."""
        return self._order(task).put_off()

    def put_back(self, task: Task, timers: Iterable[Timer]) -> None:
        self._order(task).put_back(timers)

    def move(
        self,
        task: Task,
        key: bytes,
        moves: Mapping[str, int | None],
        record: Record,
        *,
        fired: bool = False,
    ) -> None:
        """Set timers of a key, and cancel those that are None, as the message of `record` did.

        `fired`: a timer has, so that no message has moved them. Raises ValueError where a key would
        have too many.
        """
        order = self._order(task)
        before = dict(order.of(key))
        for name, due_ms in moves.items():
            if due_ms is None:
                order.cancel(key, name)
        for name, due_ms in moves.items():
            if due_ms is not None:
                order.set(Timer(due_ms, key, name))
        after, moved_ms = order.of(key), self._moved_ms[task]
        if after == before:
            return
        if not after:
            moved_ms.pop(key, None)
            self._rows.drop(task, _prefix(task) + key, record.timestamp_ms)
            return
        if not fired:
            moved_ms[key] = record.appended_ms
        row = TimerRow(
            last_offset=record.offset,
            due_ms=dict(sorted(after.items())),
            moved_ms=moved_ms.get(key, 0),
        )
        self._rows.put(task, _prefix(task) + key, row, record.timestamp_ms)

    def _order(self, task: Task) -> TimerOrder:
        order = self._orders.get(task)
        if order is None:
            order = self._orders[task] = TimerOrder()
            moved_ms = self._moved_ms[task] = {}
            prefix = _prefix(task)
            for full, row in self._rows.items(task):
                if full.startswith(prefix):
                    moved_ms[full[len(prefix) :]] = row.moved_ms
                    for name, due_ms in row.due_ms.items():
                        order.set(Timer(due_ms, full[len(prefix) :], name))
        return order


def _prefix(task: Task) -> bytes:
    """Whose timer it is, also where one process keeps the rows of all tasks in one map."""
    return b"%d/" % task
