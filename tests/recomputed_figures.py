"""Figures, and what they rest on, worked out of a recording once more from their definitions.

As tests/recomputation.py: nothing of the product, and nothing fast.
"""

from bisect import bisect_left
from fractions import Fraction
from functools import cached_property
from statistics import median
from typing import Any

from tests.recomputation import COUNTERS, DAY_MS, HOUR_MS, MINUTE_MS, RecomputedChannel, Row

#: In hours.
AGES = (1, 12, 24, 48)
#: Of a longer segment no part counts.
DIVISIBLE_MS = 10 * MINUTE_MS

Span = tuple[int, int]
Basis = tuple[Fraction, int]
NOTHING: Basis = (Fraction(0), 0)


class Figures:
    def __init__(self, channel: RecomputedChannel) -> None:
        self._channel = channel

    def overview(self, from_ms: int, to_ms: int) -> tuple[Row, dict[str, Basis]]:
        """The figures; and coverage and n of each."""
        channel, span = self._channel, (from_ms, to_ms)
        posts = channel.published(*span)
        read = self._read(*span)
        coverage = Fraction(read, to_ms - from_ms)
        newest = [channel.newest(post) for post in posts]
        views = [counters["views"] for counters in newest if "views" in counters]
        mean = Fraction(sum(views), len(views)) if views else None
        rated = [r for post in posts if (r := self._rated(post))]
        day = [self._age(post, 24) for post in posts]
        known_day = [v for v in day if v is not None]
        day_mean = sum(known_day, Fraction()) / len(known_day) if known_day else None
        audience, change, spanned = self._subscribers(*span)
        within = sum(from_ms <= at_ms < to_ms for at_ms in channel.subscribers)
        gained = self._gained(*span)
        reach, cohort = self._reach(posts)
        number = len(posts) if coverage else None

        def of_posts(known: int) -> Basis:
            return (coverage * known / len(posts), known) if known else NOTHING

        figures = {
            "subscribers": audience,
            "subscribers_change": change,
            "posts": number,
            "views": sum(views) if views else None,
            "views_gained": gained,
            **{name: _total(newest, name) for name in COUNTERS[1:]},
            "views_per_post_mean": _float(mean),
            "views_per_post_median": float(median(views)) if views else None,
            "err_percent": _float(_over(100, mean, audience)),
            "err24_percent": _float(_over(100, day_mean, audience)),
            "er_by_views_percent": _float(
                _over(100, Fraction(sum(a for _, a in rated)), sum(v for v, _ in rated))
            )
            if rated
            else None,
            "posts_per_day": None
            if number is None or read < HOUR_MS
            else float(Fraction(number * DAY_MS, read)),
            **{f"reach_{age}h": _float(reach[i]) for i, age in enumerate(AGES)},
        }
        of_views = of_posts(len(views))
        bases = {
            "subscribers": (Fraction(within > 0), within),
            "subscribers_change": (spanned, within),
            "posts": (coverage, len(posts)),
            "posts_per_day": (coverage, len(posts)),
            "views_gained": (self._sampled(*span), self._measured(*span)),
            **dict.fromkeys(
                ("views", "views_per_post_mean", "views_per_post_median", "err_percent"), of_views
            ),
            **{name: of_posts(sum(name in c for c in newest)) for name in COUNTERS[1:]},
            "err24_percent": of_posts(len(known_day)),
            "er_by_views_percent": of_posts(len(rated)),
            **{f"reach_{age}h": of_posts(cohort) for age in AGES},
        }
        return figures, {n: NOTHING if figures[n] is None else b for n, b in bases.items()}

    def views(self, from_ms: int, to_ms: int, step_ms: int) -> list[Row]:
        """What was measured in the range at all gained 0 in an observed step without any of it."""
        gains = self._channel.gains
        minutes = sorted(gains)
        whole = [gains[m] for m in minutes if from_ms <= m < to_ms]
        points = []
        for start in range(from_ms, to_ms, step_ms):
            end = min(start + step_ms, to_ms)
            within = minutes[bisect_left(minutes, start) : bisect_left(minutes, end)]
            coverage = float(self._sampled(start, end))
            quiet = {n: 0 for n in COUNTERS if coverage and any(n in gain for gain in whole)}
            point: dict[str, Any] = {"time_ms": start, "coverage": coverage}
            for name in COUNTERS:
                total = _total([gains[minute] for minute in within], name)
                point[f"{name}_gained"] = quiet.get(name) if total is None else total
            published = len(self._channel.published(start, end))
            point["posts"] = published if self._read(start, end) else None
            points.append(point)
        return points

    def growth(self, from_ms: int, to_ms: int, step_ms: int) -> list[Row]:
        points = []
        for start in range(from_ms, to_ms, step_ms):
            end = min(start + step_ms, to_ms)
            last, change, spanned = self._subscribers(start, end, max(step_ms, DAY_MS))
            known = any(start <= at_ms < end for at_ms in self._channel.subscribers)
            points.append(
                {
                    "time_ms": start,
                    "subscribers": last if known else None,
                    "change": change,
                    "coverage": float(spanned),
                }
            )
        return points

    def sampled(self, from_ms: int, to_ms: int) -> float:
        return float(self._sampled(from_ms, to_ms))

    def read(self, from_ms: int, to_ms: int) -> float:
        return float(Fraction(self._read(from_ms, to_ms), to_ms - from_ms))

    @cached_property
    def _segments(self) -> list[Span]:
        """Between samplings, at most a day apart; those that end in one minute are one."""
        instants = sorted({at_ms for one in self._channel.samples.values() for at_ms in one})
        segments: list[Span] = []
        before: int | None = None
        for at_ms in instants:
            minute = at_ms // MINUTE_MS
            if before is not None and at_ms - before <= DAY_MS:
                if segments and segments[-1][1] // MINUTE_MS == minute == before // MINUTE_MS:
                    segments[-1] = (segments[-1][0], at_ms)
                elif minute != before // MINUTE_MS:
                    segments.append((before, at_ms))
            before = at_ms
        return segments

    def _sampled(self, from_ms: int, to_ms: int) -> Fraction:
        return Fraction(self._sampled_ms(from_ms, to_ms), to_ms - from_ms)

    def _sampled_ms(self, from_ms: int, to_ms: int) -> int:
        covered = 0
        for start, end in self._segments[bisect_left(self._ends, from_ms) :]:
            if start >= to_ms:
                break
            crosses = start < from_ms or end > to_ms
            if not crosses or end - start <= DIVISIBLE_MS:
                covered += max(min(end, to_ms) - max(start, from_ms), 0)
        return covered

    @cached_property
    def _ends(self) -> list[int]:
        return [end for _, end in self._segments]

    @cached_property
    def _reading(self) -> Span | None:
        """From the day of the oldest post until the last of the messages that told any."""
        channel = self._channel
        if not channel.dates:
            return None
        return min(channel.dates.values()) // DAY_MS * DAY_MS, max(channel.seen.values())

    def _read(self, from_ms: int, to_ms: int) -> int:
        since, until = self._reading or (0, 0)
        return max(min(until, to_ms) - max(since, from_ms), 0)

    def _rated(self, post_id: int) -> tuple[int, int] | None:
        """Views and answers of the newest sample that tells all four."""
        for _, sample in sorted(self._channel.samples.get(post_id, {}).items(), reverse=True):
            if all(name in sample for name in COUNTERS):
                return sample["views"], sum(sample[name] for name in COUNTERS[1:])
        return None

    def _age(self, post_id: int, hours: int) -> Fraction | None:
        return self._channel.views_at_ages.get(post_id, {}).get(hours * 3600)

    def _reach(self, posts: list[int]) -> tuple[list[Fraction | None], int]:
        """Means at the chosen ages, of the posts known at all of them; and their number.

        Ages are a number's bits, the youngest the lowest: of as many, the older ones are higher.
        """
        known = [[self._age(post, age) for age in AGES] for post in posts]

        def rows(bits: int) -> list[list[Fraction | None]]:
            return [r for r in known if all(r[i] is not None for i in _places(bits))]

        choices = [(len(_places(b)) * len(rows(b)), len(_places(b)), b) for b in range(1, 16)]
        product, _, best = max(choices)
        if not product:
            return [None] * len(AGES), 0
        chosen = rows(best)
        means: list[Fraction | None] = [None] * len(AGES)
        for i in _places(best):
            highest = (max(v for v in row[: i + 1] if v is not None) for row in chosen)
            means[i] = sum(highest, Fraction()) / len(chosen)
        return means, len(chosen)

    def _gained(self, from_ms: int, to_ms: int) -> int | None:
        minutes = self._channel.gains
        return _total([g for m, g in minutes.items() if from_ms <= m < to_ms], "views")

    def _measured(self, from_ms: int, to_ms: int) -> int:
        measured = self._channel.measured
        return sum(n for minute, n in measured.items() if from_ms <= minute < to_ms)

    def _subscribers(
        self, from_ms: int, to_ms: int, most_ms: int = DAY_MS
    ) -> tuple[int | None, int | None, Fraction]:
        """The newest number, its change, and the share of the range that the change spans."""
        counts = self._channel.subscribers
        known = sorted(at_ms for at_ms in counts if at_ms < to_ms)
        if not known:
            return None, None, Fraction(0)
        within = [at_ms for at_ms in known if at_ms >= from_ms]
        near = [at_ms for at_ms in known if from_ms - most_ms <= at_ms < from_ms]
        base = (near[-1:] or within[:1]) if within else []
        if not base or base == within[-1:]:
            return counts[known[-1]], None, Fraction(0)
        spanned = Fraction(known[-1] - max(base[0], from_ms), to_ms - from_ms)
        return counts[known[-1]], counts[known[-1]] - counts[base[0]], spanned


def _places(bits: int) -> list[int]:
    return [i for i in range(len(AGES)) if bits >> i & 1]


def _total(rows: list[Row], name: str) -> int | None:
    known = [row[name] for row in rows if name in row]
    return sum(known) if known else None


def _over(factor: int, part: Fraction | None, whole: int | None) -> Fraction | None:
    return None if part is None or not whole else factor * part / whole


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
