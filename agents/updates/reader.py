"""Reads telegram.updates: each message checked, under its channel's right key."""

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
        """Raises Rejected where nothing of the message can be taken.

        What is wrong with some of its posts or counters becomes a dead letter of those alone.
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
        # Only under its right key does it reach the partition that has the channel's rows.
        self._metrics.dropped("updates", "respelled")
        self._again(task, key, encode(event), record.timestamp_ms)
        return None

    def _bury_parts(self, task: Task, record: Record, parts: Iterable[Part]) -> None:
        for part in parts:
            added = {"refused_posts": b"%d" % part.posts}
            self._bury(task, record, encode(part.event), part.reason, part.detail, added)
