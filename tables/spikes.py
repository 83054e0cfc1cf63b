"""State of the spike rule: a channel's last closed minutes, and the alert that is going on.

The rule: a minute's views gained are a spike when they reach RAISE_FACTOR times the median of the
last closed minutes and LEAST views. It is over after CALM_MINUTES closed minutes in a row below
half of that. Minutes in which nothing was measured are not known, and do not count.
"""

from statistics import median

import msgspec

from tables.rows import Row
from tables.windows import MINUTE_MS

LEAST = 30
RAISE_FACTOR = 4
KEPT_MINUTES = 60
#: Fewer known minutes than this tell nothing.
NEEDED_MINUTES = 20
CALM_MINUTES = 5


class Spike(msgspec.Struct, array_like=True, gc=False):
    """One spike, from the minute it was raised in to the minute it was resolved in."""

    start_ms: int
    raised_at_ms: int
    #: The highest minute so far.
    observed: int
    #: The median when it was raised.
    expected: float
    #: When it was last touched, in event time.
    observed_at_ms: int
    updated: bool = False
    calm_minutes: int = 0
    resolved_at_ms: int | None = None


class Spikes(Row, array_like=True, gc=False):
    """The row of a channel."""

    #: Views gained in the last closed minutes that are known, oldest first.
    minutes: list[int] = msgspec.field(default_factory=list)
    #: The start of the newest closed minute.
    closed_ms: int = -1
    #: The spike that is going on, or the last one.
    spike: Spike | None = None

    @property
    def expected(self) -> float | None:
        """The median of the last closed minutes; None while too few are known."""
        return median(self.minutes) if len(self.minutes) >= NEEDED_MINUTES else None

    def see(self, start_ms: int, views_gained: int, observed_at_ms: int) -> bool:
        """A minute as it stands, running or closed. True when it raised or raised higher."""
        spike, expected = self.spike, self.expected
        if spike is not None and spike.resolved_at_ms is None:
            return self._grow(spike, start_ms, views_gained, observed_at_ms)
        if expected is None or views_gained < max(LEAST, RAISE_FACTOR * expected):
            return False
        if spike is not None and start_ms <= (spike.resolved_at_ms or 0):
            return False
        self.spike = Spike(start_ms, observed_at_ms, views_gained, expected, observed_at_ms)
        return True

    def close(self, start_ms: int, views_gained: int) -> bool:
        """A minute is closed. True when that resolved the spike."""
        if start_ms <= self.closed_ms:
            return False
        expected = self.expected
        self.closed_ms = start_ms
        self.minutes = [*self.minutes[1 - KEPT_MINUTES :], views_gained]
        spike = self.spike
        if spike is None or expected is None or spike.resolved_at_ms is not None:
            return False
        is_calm = start_ms > spike.start_ms and views_gained < self._calm_below(expected)
        spike.calm_minutes = spike.calm_minutes + 1 if is_calm else 0
        if spike.calm_minutes < CALM_MINUTES:
            return False
        spike.resolved_at_ms = spike.observed_at_ms = start_ms + MINUTE_MS
        return True

    def _grow(self, spike: Spike, start_ms: int, views_gained: int, observed_at_ms: int) -> bool:
        if start_ms < spike.start_ms or views_gained <= spike.observed:
            return False
        spike.observed, spike.observed_at_ms, spike.updated = views_gained, observed_at_ms, True
        return True

    @staticmethod
    def _calm_below(expected: float) -> float:
        return max(LEAST, RAISE_FACTOR * expected) / 2
