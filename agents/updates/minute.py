"""A channel's window of activity: what was gained and done in one minute, and on which samples."""

import msgspec

from agents.updates.buckets import COUNTERS
from agents.updates.gains import Moved, Top
from streams.units import DAY_MS


class Minute(msgspec.Struct, array_like=True, gc=False):
    """Instants of sampling are kept as milliseconds of the minute: they cost a few bytes."""

    start_ms: int
    #: The newest observation in it.
    observed_at_ms: int = 0
    gains: list[int | None] = msgspec.field(default_factory=lambda: [None] * COUNTERS)
    samples: int = 0
    posts: int = 0
    edits: int = 0
    deletes: int = 0
    #: Of versions that did not know followers; it keeps the places of what comes after it.
    albums: list[int] = []
    #: Views a minute, of the gains of views.
    views_pace: float = 0.0
    #: The first and the last instant at which counters were sampled; -1: none.
    first_sampled: int = -1
    last_sampled: int = -1
    #: How long before the first one the channel was sampled; None: never, or more than a day.
    since_sampled_ms: int | None = None
    #: The post that added most to the pace.
    top: Top | None = None

    @property
    def sampled_from_ms(self) -> int | None:
        """The newest sampling instant before this minute's first; None where that is unknown."""
        if self.since_sampled_ms is None:
            return None
        return self.start_ms + self.first_sampled - self.since_sampled_ms

    @property
    def sampled_to_ms(self) -> int | None:
        return None if self.last_sampled < 0 else self.start_ms + self.last_sampled

    def add_gains(self, moved: Moved) -> None:
        for counter, gained in enumerate(moved.gains):
            if gained is not None:
                self.gains[counter] = (self.gains[counter] or 0) + gained
        self.views_pace += moved.views_pace
        self.samples += moved.measured
        if moved.top is not None:
            self.top = moved.top if self.top is None else self.top.or_higher(moved.top)

    def put_sampling(self, at_ms: int) -> bool:
        """Counters were sampled at an instant in this minute. False: that is no news."""
        at = at_ms - self.start_ms
        if self.first_sampled >= 0 and self.first_sampled <= at <= self.last_sampled:
            return False
        self.last_sampled = max(self.last_sampled, at)
        if self.first_sampled < 0 or at < self.first_sampled:
            self.first_sampled = at
        return True

    def put_before(self, before_ms: int) -> bool:
        """The channel's newest sampling instant before this minute (-1: none). True: it is news."""
        since_ms = self.start_ms + self.first_sampled - before_ms
        known = since_ms if before_ms >= 0 and since_ms <= DAY_MS else None
        changed = known != self.since_sampled_ms
        self.since_sampled_ms = known
        return changed
