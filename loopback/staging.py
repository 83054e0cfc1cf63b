"""The demo's additions to its recording, all MODELLED: the events that the demo shows.

Within minutes of played time a post takes off, an album appears, a post is edited and one is
deleted, and every channel has subscribers. The recording contains none of that. Every text is
marked as modelled, and nothing here is a measurement.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from loopback.growth import modelled
from loopback.world.counters import Counters
from streams.units import DAY_MS, MINUTE_MS

MARK = "(modelled for the demo)"

#: A post's counters at an age in ms.
Growth = Callable[[int], Counters]


class StagedPost(msgspec.Struct, frozen=True, kw_only=True):
    """One post or an album, published together. Times are relative to the start of playing."""

    at_ms: int
    text: str
    growth: Growth
    #: The number of photos of an album, whose text is on the first one; 0 for a post.
    photos: int = 0
    edit_at_ms: int | None = None
    edited_text: str = ""
    delete_at_ms: int | None = None


class StagedCounters:
    """Implements world.counters.CounterSource for a post published at `date_ms`."""

    __slots__ = ("_date_ms", "_growth")

    def __init__(self, date_ms: int, growth: Growth) -> None:
        self._date_ms = date_ms
        self._growth = growth

    def at(self, now_ms: int) -> Counters:
        return self._growth(max(now_ms - self._date_ms, 0))


def usual(views: int) -> Growth:
    """A post with `views` after two days, which grows by the model of recorded posts."""

    def at(age_ms: int) -> Counters:
        seen = modelled(views, 2 * DAY_MS, age_ms)
        return Counters(seen, seen // 250, seen // 900, _reactions(seen))

    return at


def taking_off(views: int, *, after_ms: int, more: int) -> Growth:
    """A usual post that gains `more` views within about half an hour from age `after_ms` on."""

    def at(age_ms: int) -> Counters:
        usually = modelled(views, 2 * DAY_MS, age_ms)
        since_min = max(age_ms - after_ms, 0) / MINUTE_MS
        seen = usually + int(more * (1 - math.exp(-((since_min / 12) ** 1.5))))
        return Counters(seen, seen // 60, seen // 400, _reactions(seen))

    return at


def _reactions(views: int) -> dict[str, int]:
    counts = {"👍": views // 120, "🔥": views // 300}
    return {name: count for name, count in counts.items() if count}


#: By username. Each text ends with MARK.
STAGED: Mapping[str, Sequence[StagedPost]] = {
    "d_code": (
        StagedPost(
            at_ms=5 * MINUTE_MS,
            text=f"A small tool that everybody forwards {MARK}",
            growth=taking_off(30_000, after_ms=43 * MINUTE_MS, more=60_000),
        ),
    ),
    "mosrutop": (
        StagedPost(
            at_ms=12 * MINUTE_MS,
            text=f"Five pictures of one morning {MARK}",
            growth=usual(9_000),
            photos=5,
        ),
    ),
    "rbc_news": (
        StagedPost(
            at_ms=8 * MINUTE_MS,
            text=f"A rate with a typing error: 7,5 {MARK}",
            growth=usual(90_000),
            edit_at_ms=20 * MINUTE_MS,
            edited_text=f"A rate, corrected: 7.5 {MARK}",
        ),
    ),
    "headlines_for_traders": (
        StagedPost(
            at_ms=10 * MINUTE_MS,
            text=f"A headline that is taken back {MARK}",
            growth=usual(15_000),
            delete_at_ms=26 * MINUTE_MS,
        ),
    ),
}

#: When the staged post takes off, after the start of playing.
TAKES_OFF_MS = 48 * MINUTE_MS


class Audience(msgspec.Struct, frozen=True):
    """Modelled subscribers of a channel: the number at the start, and the change per day."""

    at_start: int
    a_day: int

    def at(self, since_start_ms: int) -> int:
        """The number of subscribers, which changes faster by day than by night."""
        days = since_start_ms / DAY_MS
        wave = math.sin(2 * math.pi * days) / (2 * math.pi)
        return max(round(self.at_start + self.a_day * (days - 0.8 * wave)), 0)


AUDIENCES: Mapping[str, Audience] = {
    "rbc_news": Audience(1_890_000, 420),
    "aviadispet4er": Audience(41_300, 18),
    "kommersant": Audience(236_000, -35),
    "d_code": Audience(212_000, 260),
    "ENews112": Audience(1_120_000, -190),
    "rian_ru": Audience(3_050_000, 610),
    "mosrutop": Audience(98_400, 45),
    "headlines_for_traders": Audience(154_000, 70),
    "tass_agency": Audience(512_000, 95),
    "hykilp": Audience(730, 1),
}
