"""One message of telegram.updates on its way through the steps.

Each step is called once per message, in the order of the pipeline, and never waits. It folds the
event into the channel's rows in place and yields the outputs to send.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from agents.engine.reasons import HandledReason
from agents.updates.buckets import Buckets
from agents.updates.channel import Channel
from agents.updates.gains import Moved
from streams.analytics import Window
from streams.events import Event
from streams.ids import PostId
from streams.units import MINUTE_MS
from tables.windows import oldest_open, start_of


class Fold:
    """One event, the rows of its channel, and the results of earlier steps."""

    __slots__ = (
        "buckets",
        "channel",
        "deleted",
        "edited_ms",
        "event",
        "handled",
        "is_late",
        "minute_ms",
        "moved",
        "offset",
        "oldest_minute_ms",
        "published",
        "sampled",
        "seen",
        "touched",
    )

    def __init__(self, event: Event, channel: Channel, buckets: Buckets, offset: int) -> None:
        self.event = event
        self.channel = channel
        self.buckets = buckets
        #: Of the message in its partition of telegram.updates.
        self.offset = offset
        self.handled: Counter[HandledReason] = Counter()
        channel.advance(event.observed_at_ms)
        #: The start of the oldest minute that is not closed.
        self.oldest_minute_ms = oldest_open(channel.watermark_ms, MINUTE_MS)
        #: The start of the minute that the message's gains are booked in.
        self.minute_ms = start_of(event.observed_at_ms, MINUTE_MS)
        #: That minute is closed: history computes its gains; nothing else in the message counts.
        self.is_late = self.minute_ms < self.oldest_minute_ms
        if self.is_late:
            self.handled["late_message"] += 1
        #: What the event's counters changed; None if it has none.
        self.moved: Moved | None = None
        #: Number of posts whose counters the event contains.
        self.sampled = 0
        #: Dates of posts seen for the first time, and whether they count (an album counts once).
        self.published: list[tuple[int, bool]] = []
        #: Posts whose date became known, by id.
        self.seen: list[PostId] = []
        self.edited_ms: list[int] = []
        self.deleted = 0
        #: Numbers of buckets that changed although the event names none of their posts.
        self.touched: set[int] = set()


Step = Callable[[Fold], Iterable[Window]]
