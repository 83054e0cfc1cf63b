"""How far event time is where messages of several partitions meet."""

from collections.abc import Sequence

import msgspec

from tables.rows import Row


class TickRow(Row, array_like=True, gc=False):
    """The newest tick of each partition from which a task's messages are forwarded."""

    #: By topic and partition: telegram.updates/3.
    newest_ms: dict[str, int] = msgspec.field(default_factory=dict)

    def put(self, place: str, at_ms: int) -> None:
        """Time goes forward only."""
        self.newest_ms[place] = max(at_ms, self.newest_ms.get(place, at_ms))

    def reached(self, places: Sequence[str]) -> int | None:
        """What all of them have reached; None while one has said nothing."""
        if any(place not in self.newest_ms for place in places):
            return None
        return min(self.newest_ms[place] for place in places)
