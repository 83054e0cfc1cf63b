"""Event time on a topic of keys: as far as the upstream partition that is furthest behind.

A message of any upstream partition may lie in any partition of such a topic. So a tick is forwarded
to all of them and says where it is from, and time is where the last of them has got to: whatever
was forwarded before that lies before it.
"""

from collections.abc import Sequence

from agents.engine.cache import RowCache
from streams.context import Task
from streams.log import Record
from streams.topics import Topic
from tables.ticks import TickRow

#: The header of a tick that was forwarded.
UPSTREAM = "upstream"


def place_of(topic: Topic, task: Task) -> str:
    """How a partition is named in the header, and in the rows."""
    return f"{topic.name}/{task}"


class Upstream:
    """What the partitions of one input have heard of the upstream partitions."""

    def __init__(self, rows: RowCache[TickRow], places: Sequence[str]) -> None:
        """`places`: all upstream partitions."""
        self._rows = rows
        self._places = places

    def moved(self, task: Task, record: Record, at_ms: int) -> int | None:
        """The time that all have reached, where the tick `at_ms` at `record` moves it on."""
        key = b"%d" % task
        row = self._rows.get(task, key)
        before = row.reached(self._places)
        row.put(record.headers[UPSTREAM].decode(), at_ms)
        row.last_offset = record.offset
        self._rows.put(task, key, row, record.timestamp_ms)
        now = row.reached(self._places)
        return None if now is None or now == before else now
