"""One message of telegram.updates on its way through the steps.

A step is called once a message, in the order of the pipeline, and never waits. It reads the
event, folds it into the rows that the turn holds, in place, and gives what is to be sent.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from agents.reasons import HandledReason
from streams.analytics import Window
from streams.events import Event
from streams.ids import PostId
from tables.channel import Channel
from tables.gains import Moved
from tables.posts import Buckets
from tables.windows import MINUTE_MS, oldest_open, start_of


class Turn:
    """An event, the rows of its channel, and what earlier steps found out."""

    __slots__ = (
        "buckets",
        "channel",
        "deleted",
        "edited_ms",
        "event",
        "handled",
        "minute_ms",
        "moved",
        "oldest_minute_ms",
        "published",
        "seen",
    )

    def __init__(self, event: Event, channel: Channel, buckets: Buckets) -> None:
        self.event = event
        self.channel = channel
        self.buckets = buckets
        self.handled: Counter[HandledReason] = Counter()
        channel.advance(event.observed_at_ms)
        #: The start of the oldest minute that is not closed.
        self.oldest_minute_ms = oldest_open(channel.watermark_ms, MINUTE_MS)
        minute_ms = start_of(event.observed_at_ms, MINUTE_MS)
        if minute_ms < self.oldest_minute_ms:
            self.handled["late_message"] += 1
            minute_ms = self.oldest_minute_ms
        #: The start of the minute that the message's gains are booked in.
        self.minute_ms = minute_ms
        #: What its counters changed; None without counters.
        self.moved: Moved | None = None
        #: Date and album of posts seen for the first time.
        self.published: list[tuple[int, int | None]] = []
        #: Posts whose date was learned, by id.
        self.seen: list[PostId] = []
        self.edited_ms: list[int] = []
        self.deleted = 0


Step = Callable[[Turn], Iterable[Window]]
