"""Recent gaps in a channel's observation: they decide whether a post appeared under observation.

A row keeps the gaps of more than STEP_MS between observations, for a day plus the lateness;
observations closer together are not stored. So most rows contain one gap, the one before the first
observation, and no row contains more than 150.
"""

from bisect import insort
from collections.abc import Sequence

from streams.units import DAY_MS, MINUTE_MS
from tables.windows import LATENESS_MS

#: Observations no further apart count as one stretch.
STEP_MS = 600_000
#: An instant before all observations.
BEGINNING_MS = -1
#: Gaps that ended this long before the newest observation are no longer needed.
KEPT_MS = DAY_MS + LATENESS_MS + MINUTE_MS

#: From the last observation before the gap to the first one after it.
Gap = tuple[int, int]


def first_gap(first_ms: int) -> list[Gap]:
    """The gaps of a channel whose first observation is at `first_ms`."""
    return [(BEGINNING_MS, first_ms)]


def follow(gaps: list[Gap], newest_ms: int, at_ms: int) -> None:
    """Record an observation later than the newest one."""
    if at_ms - newest_ms > STEP_MS:
        gaps.append((newest_ms, at_ms))
        gaps[:] = [gap for gap in gaps if gap[1] >= at_ms - KEPT_MS]


def fill(gaps: list[Gap], at_ms: int) -> None:
    """Record an observation that is not the newest: it splits the gap around it, if any."""
    for place in range(len(gaps) - 1, -1, -1):
        start_ms, end_ms = gaps[place]
        if start_ms < at_ms < end_ms:
            del gaps[place]
            for part in ((start_ms, at_ms), (at_ms, end_ms)):
                if part[0] == BEGINNING_MS or part[1] - part[0] > STEP_MS:
                    insort(gaps, part)
            return
        if end_ms <= at_ms:
            return


def observed_between(gaps: Sequence[Gap], from_ms: int, to_ms: int) -> bool:
    """Whether there was certainly an observation in [from_ms, to_ms).

    `from_ms` must not lie more than KEPT_MS before the newest observation. Without any gap the
    answer is False, but every row has at least one. False is not certain if `from_ms` lies in a
    stretch of observations and `to_ms` at most STEP_MS after it.
    """
    for start_ms, end_ms in reversed(gaps):
        if start_ms < from_ms:
            return end_ms < to_ms if from_ms <= end_ms else to_ms - from_ms > STEP_MS
        if start_ms < to_ms:
            return True
    return bool(gaps) and to_ms - from_ms > STEP_MS
