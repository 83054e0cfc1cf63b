"""Edits that wait because their message was edited a moment ago. Callers pass the time."""

from collections.abc import Iterator
from typing import NamedTuple

from streams.analytics import Alert
from streams.log import Partition


class Place(NamedTuple):
    """Identifies a message: one per alert and chat."""

    alert_id: str
    chat_id: int


class Edit(NamedTuple):
    alert: Alert
    partition: Partition
    offset: int
    due_s: float


class ThrottledEdits:
    """At most one waiting edit per place: the newest. Times are seconds of one monotonic clock."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._told_s: dict[Place, float] = {}
        self._edits: dict[Place, Edit] = {}

    def told(self, place: Place, now_s: float) -> None:
        """Record that the message was sent or edited now; discards its waiting edit."""
        self._edits.pop(place, None)
        self._told_s[place] = now_s

    def hold(
        self, place: Place, alert: Alert, partition: Partition, offset: int, now_s: float
    ) -> bool:
        """Store an edit that must wait. Returns False if the edit may be made at once.

        Only an alert in the state `updated` waits.
        """
        due_s = self._told_s.get(place, -self._every_s) + self._every_s
        if alert.state != "updated" or due_s <= now_s:
            return False
        self._edits[place] = Edit(alert, partition, offset, due_s)
        return True

    def take_due(self, now_s: float) -> Iterator[tuple[Place, Edit]]:
        """Remove and yield the edits due now. Forgets messages that may be edited at any time."""
        for place, edit in list(self._edits.items()):
            if edit.due_s <= now_s:
                yield place, self._edits.pop(place)
        old = [at for at, told_s in self._told_s.items() if told_s + self._every_s <= now_s]
        for place in old:
            del self._told_s[place]

    def next_due_s(self) -> float | None:
        return min((edit.due_s for edit in self._edits.values()), default=None)

    def first_offset(self, partition: Partition) -> int | None:
        """The offset of the oldest record with a waiting edit; None if no edit waits."""
        offsets = (edit.offset for edit in self._edits.values() if edit.partition == partition)
        return min(offsets, default=None)
