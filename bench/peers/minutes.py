"""The job as our agents do it: rows of a table, one a minute and bucket of channels. Pure.

A row costs by its writing and by what is in it: a bucket for each of many channels would be many
writes a frame, one for all of them a large row. Four were fastest with 1,000 channels and with
100,000 (1, 4, 16, 64 and 256 were tried), and leave room for a million.
"""

from collections.abc import Callable

import msgspec

from bench.peers.job import Frame
from streams.units import MINUTE_MS
from tables.rows import Row

BUCKETS = 4
#: So late an event may be, by the newest of its partition.
GRACE_MS = 10_000


class Views(msgspec.Struct, array_like=True, gc=False):
    """Of one channel in one minute."""

    count: int = 0
    total: int = 0
    most: int = 0


class Minute(Row):
    """Of one minute and bucket; also what is sent when it closes."""

    minute: int = 0
    channels: dict[int, Views] = msgspec.field(default_factory=dict)

    def add(self, channel: int, increment: int) -> None:
        views = self.channels.get(channel)
        if views is None:
            views = self.channels[channel] = Views()
        views.count += 1
        views.total += increment
        if increment > views.most:
            views.most = increment


class Progress(Row):
    """Of a partition: which windows are open, and before which minute all are closed."""

    closed: int = 0
    open: list[int] = msgspec.field(default_factory=list)
    newest_ms: int = 0

    def is_news(self, minute: int, at_ms: int) -> bool:
        """Whether an event may open a minute, or close one: `move` finds out."""
        return minute not in self.open or (
            at_ms > self.newest_ms and (at_ms - GRACE_MS) // MINUTE_MS > self.closed
        )

    def move(self, minutes: set[int], newest_ms: int) -> tuple[bool, list[int]]:
        """Whether a minute was opened, and those that end now: they are open no more."""
        new = minutes.difference(self.open)
        self.open.extend(new)
        self.newest_ms = max(self.newest_ms, newest_ms)
        horizon = (self.newest_ms - GRACE_MS) // MINUTE_MS
        ending = sorted(minute for minute in self.open if minute < horizon)
        if ending:
            self.open = [minute for minute in self.open if minute >= horizon]
            self.closed = horizon
        return bool(new), ending


#: A minute and a bucket.
Place = tuple[int, int]


def fold(frame: Frame, closed: int, row_of: Callable[[Place], Minute]) -> dict[Place, Minute]:
    """The rows that were changed. What comes after its minute was closed is not counted."""
    touched: dict[Place, Minute] = {}
    for channel, at_ms, increment in zip(
        frame.channels, frame.at_ms, frame.increments, strict=True
    ):
        minute = at_ms // MINUTE_MS
        if minute < closed:
            continue
        place = minute, channel % BUCKETS
        row = touched.get(place)
        if row is None:
            row = touched[place] = row_of(place)
            row.minute = minute
        # As Minute.add does: a call for each event would cost a tenth of the whole.
        views = row.channels.get(channel)
        if views is None:
            views = row.channels[channel] = Views()
        views.count += 1
        views.total += increment
        if increment > views.most:
            views.most = increment
    return touched


def row_key(task: int, place: Place) -> bytes:
    """Rows of all tasks are in one table."""
    minute, bucket = place
    return b"%d/%d/%d" % (task, minute, bucket)
