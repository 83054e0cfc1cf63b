"""A post's counters at fixed ages, interpolated between the samples around each age."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from streams.counters import NOT_SAID, Counters
from streams.ids import PostId

#: In the order of the counters; a float if interpolated.
AgedCounters = tuple[int | float | None, ...]

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400

#: 5, 15, 30 minutes; 1, 3, 6, 12, 24, 48 hours; 7, 30 days.
AGES_S = (
    5 * MINUTE_S,
    15 * MINUTE_S,
    30 * MINUTE_S,
    1 * HOUR_S,
    3 * HOUR_S,
    6 * HOUR_S,
    12 * HOUR_S,
    24 * HOUR_S,
    48 * HOUR_S,
    7 * DAY_S,
    30 * DAY_S,
)
AGES_MS = tuple(age_s * 1000 for age_s in AGES_S)
HIGHEST_AGE_MS = AGES_MS[-1]
#: Later than any instant.
NEVER_MS = 2**53


class Crossing(NamedTuple):
    """A post passed at least one fixed age between two successive samples."""

    post_id: PostId
    #: None: there was no earlier sample.
    age_before_ms: int | None
    before: Counters
    age_after_ms: int
    after: Counters


class AtAge(NamedTuple):
    post_id: PostId
    age_s: int
    counters: AgedCounters
    interpolated: bool


def crosses(age_before_ms: int | None, age_after_ms: int) -> bool:
    """Whether a fixed age lies in (before, after]; without a `before`, whether `after` is one."""
    if age_before_ms is None:
        return age_after_ms in AGES_MS
    if age_before_ms >= HIGHEST_AGE_MS:
        return False
    return bisect_right(AGES_MS, age_before_ms) != bisect_right(AGES_MS, age_after_ms)


def next_age_at(date_ms: int, sampled_ms: int) -> int:
    """The instant at which a post passes its next fixed age after a sample."""
    following = bisect_right(AGES_MS, sampled_ms - date_ms)
    return date_ms + AGES_MS[following] if following < len(AGES_MS) else NEVER_MS


def at_ages(crossing: Crossing) -> Iterator[AtAge]:
    """The counters at every age that the crossing determines, exact or interpolated.

    Counters are interpolated only if the two samples lie no further apart than the age itself.
    """
    post_id, t0, before, t1, after = crossing
    low = bisect_right(AGES_MS, t0) if t0 is not None else 0
    for age_ms in AGES_MS[low : bisect_right(AGES_MS, t1)]:
        counters: AgedCounters
        if age_ms == t1:
            counters = after
        elif t0 is not None and t1 - t0 <= age_ms:
            counters = _between(age_ms - t0, t1 - t0, before, after)
        else:
            continue
        if counters != NOT_SAID:
            yield AtAge(post_id, age_ms // 1000, counters, age_ms != t1)


def _between(part_ms: int, whole_ms: int, before: Counters, after: Counters) -> AgedCounters:
    return tuple(
        None if v0 is None or v1 is None else (v0 * whole_ms + (v1 - v0) * part_ms) / whole_ms
        for v0, v1 in zip(before, after, strict=True)
    )
