"""Reads telegram.updates: checks each message and its key."""

from collections.abc import Iterable

from agents.engine.ports import Ports
from agents.updates.check import check_instant, read_event
from agents.updates.sifting import Part
from streams.broadcasts import Broadcast, Tick
from streams.codec import BroadcastFound, encode
from streams.context import Task
from streams.events import Event
from streams.limits import LAST_MS
from streams.log import Record
from streams.topics import UPDATES, channel_key


class EventReader:
    """Implements Reader."""

    def __init__(self, ports: Ports, _wanted: frozenset[type]) -> None:
        self._bury = ports.bury
        self._again = ports.sender(UPDATES)
        self._metrics = ports.metrics

    def read(self, task: Task, record: Record) -> Event | Broadcast | None:
        """Return the checked event or broadcast; None if it was sent again under the right key.

        Called once per record; never waits. Invalid posts and counters of an otherwise valid
        message become dead letters of their own. Raises Rejected if nothing in it is valid.
        """
        try:
            event, refused = read_event(record)
        except BroadcastFound as found:
            if isinstance(found.message, Tick):
                check_instant(found.message.at_ms, record.first_appended_ms or LAST_MS)
            return found.message
        key = channel_key(event.channel_id)
        if refused:
            self._bury_parts(task, record, refused)
        if key == record.key:
            return event
        # Only the right key routes the event to the partition that owns the channel's rows.
        self._metrics.dropped("updates", "respelled")
        self._again(task, key, encode(event), record.timestamp_ms)
        return None

    def _bury_parts(self, task: Task, record: Record, parts: Iterable[Part]) -> None:
        for part in parts:
            added = {"refused_posts": b"%d" % part.posts}
            self._bury(task, record, encode(part.event), part.reason, part.detail, added)
