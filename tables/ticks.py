"""The progress of event time in a task that receives messages from several partitions."""

from collections.abc import Sequence

import msgspec

from tables.rows import Row


class TickRow(Row, array_like=True, gc=False):
    """The newest tick of each partition that forwards messages to a task."""

    #: By topic and partition, such as telegram.updates/3.
    newest_ms: dict[str, int] = msgspec.field(default_factory=dict)

    def put(self, place: str, at_ms: int) -> None:
        """Record a tick. A tick earlier than the partition's newest changes nothing."""
        self.newest_ms[place] = max(at_ms, self.newest_ms.get(place, at_ms))

    def reached(self, places: Sequence[str]) -> int | None:
        """The event time that all `places` have reached; None while one has sent no tick."""
        if any(place not in self.newest_ms for place in places):
            return None
        return min(self.newest_ms[place] for place in places)
