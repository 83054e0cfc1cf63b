"""The basis of a figure: the observed part of a span of time.

Pure, and the only place that decides it, for REST, socket and bot. Times are milliseconds since
1970 UTC. clickhouse.history_reader reads the rows.

A **segment** is the time between two successive samplings of a channel's counters. A long one
shows that something was gained, but not when: it counts as a whole or not at all. A **reading** is
a span for which a source reported all posts published in it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, combinations
from typing import NamedTuple

import msgspec

from streams.units import DAY_MS, HOUR_MS, MINUTE_MS

#: No part of a longer segment counts, because the gain in that part is unknown.
DIVISIBLE_MS = 10 * MINUTE_MS

#: Ages at which views are known, in seconds since publication.
Ages = frozenset[int]


class Basis(msgspec.Struct, frozen=True):
    """What one figure, or one series, rests on."""

    #: Share of the asked time, or of the posts, that was observed: 0 to 1.
    coverage: float
    #: How many samples or posts it rests on.
    n: int
    #: The newest observation used; None with none: then the figure is not known.
    as_of_ms: int | None

    @property
    def known(self) -> bool:
        return self.as_of_ms is not None


class Segment(NamedTuple):
    """[from_ms, to_ms). `divisible`: a part of it may count."""

    from_ms: int
    to_ms: int
    divisible: bool = True


class Observed:
    """The parts of a range that segments cover; segments may overlap, and come in any order."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._segments = sorted(s for s in segments if s.from_ms < s.to_ms)
        #: The latest end of the segments up to and including each one.
        self._ends = list(accumulate((s.to_ms for s in self._segments), max))

    def spans(self, from_ms: int, to_ms: int) -> Sequence[tuple[int, int]]:
        """The covered parts of [from_ms, to_ms), in order; touching parts are merged."""
        found: list[tuple[int, int]] = []
        for start_ms, end_ms, divisible in self._segments[bisect_right(self._ends, from_ms) :]:
            if start_ms >= to_ms:
                break
            if not divisible and (start_ms < from_ms or end_ms > to_ms):
                continue
            start_ms, end_ms = max(start_ms, from_ms), min(end_ms, to_ms)
            if found and start_ms <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], end_ms))
            elif start_ms < end_ms:
                found.append((start_ms, end_ms))
        return found

    def length_ms(self, from_ms: int, to_ms: int) -> int:
        return sum(end_ms - start_ms for start_ms, end_ms in self.spans(from_ms, to_ms))

    def share(self, from_ms: int, to_ms: int) -> float:
        return share(self.length_ms(from_ms, to_ms), to_ms - from_ms)

    def newest_ms(self, from_ms: int, to_ms: int) -> int | None:
        """The end of the last covered part of [from_ms, to_ms); None if no part is covered."""
        spans = self.spans(from_ms, to_ms)
        return spans[-1][1] if spans else None


def segment(from_ms: int, to_ms: int) -> Segment:
    """The segment between two samplings."""
    return Segment(from_ms, to_ms, to_ms - from_ms <= DIVISIBLE_MS)


def reading(since_ms: int, until_ms: int) -> Segment:
    """A reading: it starts at the beginning of the day (UTC) of the oldest post, `since_ms`."""
    return Segment(since_ms // DAY_MS * DAY_MS, until_ms)


def per_day(posts: int | None, known_ms: int) -> float | None:
    """Posts per day of known time; None if less than an hour is known."""
    if posts is None or known_ms < HOUR_MS:
        return None
    return posts * DAY_MS / known_ms


def cohort(posts: Mapping[Ages, int]) -> Ages:
    """The ages to show together, so that all of them rest on the same posts.

    `posts`: how many posts are known at exactly these ages. The result maximises the number of ages
    times the number of posts known at all of them; among equals it has the most, then the oldest
    ages. Empty if nothing is known.
    """
    every = sorted(frozenset[int]().union(*posts))
    sets = (frozenset(s) for n in range(1, len(every) + 1) for s in combinations(every, n))

    def rank(ages: Ages) -> tuple[int, int, list[int]]:
        known = sum(number for at, number in posts.items() if ages <= at)
        return len(ages) * known, len(ages), sorted(ages, reverse=True)

    return max(sets, key=rank, default=frozenset())


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
