"""What a figure rests on: the observed part of a span of time.

Pure, and the one place that decides it, for REST, socket and bot. Times are milliseconds since
1970 UTC. Not for reading history (clickhouse.history_reader).

A **segment** is the time between two successive samplings of a channel's counters. A long one
shows that something was gained, but not when: of it counts all or nothing. A **reading** is a
span of which a source told all posts that were published in it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, combinations
from typing import NamedTuple

import msgspec

from streams.units import DAY_MS, HOUR_MS, MINUTE_MS

#: Of a longer segment no part counts: nobody knows what was gained in that part.
DIVISIBLE_MS = 10 * MINUTE_MS

#: At which views are known, in seconds since publication.
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
    """Segments of any order, which may overlap; asked for the part of a range that they cover."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._segments = sorted(s for s in segments if s.from_ms < s.to_ms)
        #: The latest end of the segments up to each: segments may overlap.
        self._ends = list(accumulate((s.to_ms for s in self._segments), max))

    def spans(self, from_ms: int, to_ms: int) -> Sequence[tuple[int, int]]:
        """The covered parts of [from_ms, to_ms), in order, none touching the next."""
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
        """Where the last covered part of [from_ms, to_ms) ends; None without any."""
        spans = self.spans(from_ms, to_ms)
        return spans[-1][1] if spans else None


def segment(from_ms: int, to_ms: int) -> Segment:
    """Between two samplings."""
    return Segment(from_ms, to_ms, to_ms - from_ms <= DIVISIBLE_MS)


def reading(since_ms: int, until_ms: int) -> Segment:
    """All posts were told of it: from the beginning of the day (UTC) of the oldest one."""
    return Segment(since_ms // DAY_MS * DAY_MS, until_ms)


def per_day(posts: int | None, known_ms: int) -> float | None:
    """Posts a day of known time; None below an hour of it."""
    if posts is None or known_ms < HOUR_MS:
        return None
    return posts * DAY_MS / known_ms


def cohort(posts: Mapping[Ages, int]) -> Ages:
    """The ages to show together: every one of them is to rest on the posts known at all of them.

    `posts`: how many are known at exactly these ages. Chosen are the ages for which their number
    times that of the posts known at all of them is greatest; of equals the most, then the oldest.
    Empty where nothing is known.
    """
    every = sorted(frozenset[int]().union(*posts))
    sets = (frozenset(s) for n in range(1, len(every) + 1) for s in combinations(every, n))

    def rank(ages: Ages) -> tuple[int, int, list[int]]:
        known = sum(number for at, number in posts.items() if ages <= at)
        return len(ages) * known, len(ages), sorted(ages, reverse=True)

    return max(sets, key=rank, default=frozenset())


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
