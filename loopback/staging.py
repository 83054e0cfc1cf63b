"""What the demo adds to its recording, all of it MODELLED: the moments that it is to show.

Within minutes of played time a post takes off, an album appears, a post is edited and one is
deleted, and every channel has subscribers. The recording holds none of that. Every text says that
it is modelled, and nothing here is a measurement.
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
    """Posts that are published together: one, or an album. Times are since the start of playing."""

    at_ms: int
    text: str
    growth: Growth
    #: More than one: an album of so many photos, the text on the first.
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
    """A post that has so many views after two days, and grows as recorded ones are modelled to."""

    def at(age_ms: int) -> Counters:
        seen = modelled(views, 2 * DAY_MS, age_ms)
        return Counters(seen, seen // 250, seen // 900, _reactions(seen))

    return at


def taking_off(views: int, *, after_ms: int, more: int) -> Growth:
    """A usual post that is found by `more` people within about half an hour from an age on."""

    def at(age_ms: int) -> Counters:
        usually = modelled(views, 2 * DAY_MS, age_ms)
        since_min = max(age_ms - after_ms, 0) / MINUTE_MS
        seen = usually + int(more * (1 - math.exp(-((since_min / 12) ** 1.5))))
        return Counters(seen, seen // 60, seen // 400, _reactions(seen))

    return at


def _reactions(views: int) -> dict[str, int]:
    counts = {"👍": views // 120, "🔥": views // 300}
    return {name: count for name, count in counts.items() if count}


#: By username. The title of each post's text is followed by MARK.
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

#: When the post of STAGED that takes off does so, after the start of playing.
TAKES_OFF_MS = 48 * MINUTE_MS


class Audience(msgspec.Struct, frozen=True):
    """Modelled subscribers of a channel: a number at the start, and how many a day come or go."""

    at_start: int
    a_day: int

    def at(self, since_start_ms: int) -> int:
        """By day more people come than by night; whole, and a function of time alone."""
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
