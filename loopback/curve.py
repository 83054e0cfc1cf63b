"""The counters of a recorded post at any age: recorded from the first sample on, modelled before.

Between samples, and after the last one, a counter keeps the last recorded value. Before the first
sample it follows the model of growth.py.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from loopback.growth import modelled
from loopback.world.counters import Counters


class Series:
    """One counter, by the post's age."""

    __slots__ = ("_ages_ms", "_values")

    def __init__(self, samples: Iterable[tuple[int, int]]) -> None:
        """`samples`: age in ms and value, at least one, in any order."""
        ordered = sorted(dict(samples).items())
        self._ages_ms = array("q", (age_ms for age_ms, _ in ordered))
        self._values = array("q", (value for _, value in ordered))

    def at(self, age_ms: int) -> int:
        place = bisect_right(self._ages_ms, age_ms)
        if not place:
            return modelled(self._values[0], self._ages_ms[0], age_ms)
        return self._values[place - 1]


class RecordedCounters:
    """Implements world.counters.CounterSource for a post played at `date_ms`."""

    __slots__ = ("_date_ms", "_forwards", "_reactions", "_replies", "_views")

    def __init__(
        self,
        date_ms: int,
        views: Series | None,
        forwards: Series | None,
        replies: Series | None,
        reactions: Mapping[str, Series] | None,
    ) -> None:
        self._date_ms = date_ms
        self._views = views
        self._forwards = forwards
        self._replies = replies
        self._reactions = reactions

    def at(self, now_ms: int) -> Counters:
        age_ms = now_ms - self._date_ms
        reactions = self._reactions
        return Counters(
            _at(self._views, age_ms),
            _at(self._forwards, age_ms),
            _at(self._replies, age_ms),
            None if reactions is None else _counts(reactions, age_ms),
        )


def _at(series: Series | None, age_ms: int) -> int | None:
    return None if series is None else series.at(age_ms)


def _counts(reactions: Mapping[str, Series], age_ms: int) -> dict[str, int]:
    """Omits reactions with a count of 0, as Telegram does."""
    counts = {name: series.at(age_ms) for name, series in reactions.items()}
    return {name: count for name, count in counts.items() if count}
