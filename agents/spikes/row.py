"""The state of the spike rule: the pace of a channel's last closed minutes, and the open alert.

The rule: a minute is a spike if its pace (ActivityWindow.views_pace) reaches `factor` times the
median of the last closed minutes and `least` views. The spike is over after `calm_minutes`
consecutive closed minutes below half of that threshold. Operators can set these Limits. Minutes
without a measurement are unknown, and do not count.

A minute may gain many views without a spike. The rule raises no alert if

- the gains accumulated over many minutes, after a gap or because posts are rarely sampled: the
  pace counts one minute's share of them;
- the minute rests on more posts than others, because some are sampled every fifth minute or all
  at once after an outage: it is compared only with minutes that rest on about as many samples or
  more;
- the channel was not observed, or only occasionally: after a gap of more than GAP_MS the rule
  forgets earlier minutes, and needs NEEDED_MINUTES new ones first.
"""

from statistics import median
from typing import NamedTuple

import msgspec

from streams.ids import PostId
from streams.units import MINUTE_MS
from tables.rows import Row

KEPT_MINUTES = 60
#: The least number of known minutes for a median.
NEEDED_MINUTES = 20
#: The longest distance between two known minutes without a gap. Quiet channels are sampled every
#: five minutes.
GAP_MS = 6 * MINUTE_MS
#: A minute may rest on this many times the samples of a minute it is compared with, and a few more.
MORE_SAMPLES, FEW_SAMPLES = 2, 2

#: Views per minute, and the samples that they rest on.
Pace = tuple[float, int]


class Limits(NamedTuple):
    """The thresholds at which a spike starts and ends; agents.spikes.rule declares the settings."""

    least: int = 30
    factor: float = 4.0
    calm_minutes: int = 5

    def calm_below(self, expected: float) -> float:
        return max(self.least, self.factor * expected) / 2


USUAL = Limits()


class Spike(msgspec.Struct, array_like=True, gc=False):
    """One spike, from the minute that raised it to the minute that resolved it."""

    start_ms: int
    raised_at_ms: int
    #: The pace of the highest minute so far.
    observed: float
    #: The median when the spike was raised.
    expected: float
    #: When the spike was last updated, in event time.
    observed_at_ms: int
    updated: bool = False
    calm_minutes: int = 0
    resolved_at_ms: int | None = None
    #: The post that added most to the pace of the highest minute.
    post_id: PostId | None = None


class Spikes(Row, array_like=True, gc=False):
    """The row of a channel."""

    #: The last known closed minutes since the last gap, oldest first.
    minutes: list[Pace] = msgspec.field(default_factory=list)
    #: The start of the newest closed minute.
    closed_ms: int = -1
    #: The open spike, or the last one.
    spike: Spike | None = None
    #: The starts of the newest known minute, and of the first one since the last gap.
    newest_ms: int = -1
    since_ms: int = -1

    def expected(self, samples: int) -> float | None:
        """The median pace of the last closed minutes that rest on enough samples.

        None while fewer than NEEDED_MINUTES are known.
        """
        enough = (samples - FEW_SAMPLES) / MORE_SAMPLES
        paces = [pace for pace, rests_on in self.minutes if rests_on >= enough]
        return median(paces) if len(paces) >= NEEDED_MINUTES else None

    def see(
        self,
        start_ms: int,
        pace: Pace,
        observed_at_ms: int,
        top: PostId | None = None,
        limits: Limits = USUAL,
    ) -> bool:
        """Apply the rule to a minute, open or closed. True if it raised an alert or its level.

        Called per window, and before `close` for a closed one. `top` is the post that added most to
        the pace.
        """
        self._note_gap(start_ms)
        spike, (views, samples) = self.spike, pace
        if spike is not None and spike.resolved_at_ms is None:
            return self._grow(spike, start_ms, views, observed_at_ms, top)
        if views < limits.least or start_ms < self.since_ms:
            return False
        expected = self.expected(samples)
        if expected is None or views < limits.factor * expected:
            return False
        if spike is not None and start_ms <= (spike.resolved_at_ms or 0):
            return False
        self.spike = Spike(start_ms, observed_at_ms, views, expected, observed_at_ms, post_id=top)
        return True

    def close(self, start_ms: int, pace: Pace, limits: Limits = USUAL) -> bool:
        """Add a closed minute. True if it resolved the spike. A repeated minute changes nothing."""
        if start_ms <= self.closed_ms:
            return False
        views, samples = pace
        expected = self.expected(samples)
        self.closed_ms = start_ms
        if start_ms >= self.since_ms:
            self.minutes = [*self.minutes[1 - KEPT_MINUTES :], pace]
        spike = self.spike
        if spike is None or spike.resolved_at_ms is not None:
            return False
        usual = spike.expected if expected is None else expected
        is_calm = start_ms > spike.start_ms and views < limits.calm_below(usual)
        spike.calm_minutes = spike.calm_minutes + 1 if is_calm else 0
        if spike.calm_minutes < limits.calm_minutes:
            return False
        spike.resolved_at_ms = spike.observed_at_ms = start_ms + MINUTE_MS
        return True

    def _note_gap(self, start_ms: int) -> None:
        if start_ms > self.newest_ms + GAP_MS:
            self.minutes = []
            self.since_ms = start_ms
        self.newest_ms = max(self.newest_ms, start_ms)

    def _grow(
        self, spike: Spike, start_ms: int, views: float, observed_at_ms: int, top: PostId | None
    ) -> bool:
        if start_ms < spike.start_ms or views <= spike.observed:
            return False
        spike.observed, spike.observed_at_ms, spike.updated = views, observed_at_ms, True
        spike.post_id = top
        return True
