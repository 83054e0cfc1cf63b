"""A channel's activity window: gains, events and samples of one minute."""

import msgspec

from agents.updates.buckets import COUNTERS
from agents.updates.gains import Moved, Top
from streams.units import DAY_MS


class Minute(msgspec.Struct, array_like=True, gc=False):
    """One minute. Sampling instants are stored relative to its start, to save bytes."""

    start_ms: int
    #: The newest observation in this minute.
    observed_at_ms: int = 0
    gains: list[int | None] = msgspec.field(default_factory=lambda: [None] * COUNTERS)
    samples: int = 0
    posts: int = 0
    edits: int = 0
    deletes: int = 0
    #: Written by versions without followers; it preserves the positions of the fields after it.
    albums: list[int] = []
    #: Views per minute (agents.updates.gains).
    views_pace: float = 0.0
    #: The first and the last instant at which counters were sampled; -1: none.
    first_sampled: int = -1
    last_sampled: int = -1
    #: Time from the channel's previous sampling to the first one here; None: none within a day.
    since_sampled_ms: int | None = None
    #: The post that added most to the pace.
    top: Top | None = None

    @property
    def sampled_from_ms(self) -> int | None:
        """The newest sampling instant before this minute's first one; None if unknown."""
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
        """Record a sampling instant in this minute. Returns False if nothing changed."""
        at = at_ms - self.start_ms
        if self.first_sampled >= 0 and self.first_sampled <= at <= self.last_sampled:
            return False
        self.last_sampled = max(self.last_sampled, at)
        if self.first_sampled < 0 or at < self.first_sampled:
            self.first_sampled = at
        return True

    def put_before(self, before_ms: int) -> bool:
        """Record the channel's newest sampling before this minute; -1: none. True if changed."""
        since_ms = self.start_ms + self.first_sampled - before_ms
        known = since_ms if before_ms >= 0 and since_ms <= DAY_MS else None
        changed = known != self.since_sampled_ms
        self.since_sampled_ms = known
        return changed
