"""What history must say of a recording, worked out of its files by other means.

Plain Python over the JSON lines, from the written definitions; nothing of the product is imported,
and nothing here is fast. Ratios are exact fractions, turned into the nearest float at the end.
"""

import io
import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import zstandard

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
AGES_S = (300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)
COUNTERS = ("views", "forwards", "replies", "reactions")

Row = dict[str, Any]
Samples = dict[int, Row]


def lines(folder: Path, name: str) -> Iterator[Row]:
    plain, packed = folder / name, folder / f"{name}.zst"
    if packed.exists():
        data = zstandard.ZstdDecompressor().stream_reader(packed.read_bytes()).read()
    elif plain.exists():
        data = plain.read_bytes()
    else:
        return
    for line in io.BytesIO(data):
        yield json.loads(line)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def exact(part: int | Fraction, whole: int | Fraction) -> float | None:
    return float(Fraction(part) / Fraction(whole)) if whole else None


class Recomputed:
    """A recording folder, read whole."""

    def __init__(self, folder: Path) -> None:
        self.channels = list(lines(folder, "channels.jsonl"))
        self.posts = list(lines(folder, "posts.jsonl"))
        self.view_samples = list(lines(folder, "view_samples.jsonl"))
        self.subscriber_samples = list(lines(folder, "subscriber_samples.jsonl"))

    def channel(self, key: str) -> "RecomputedChannel":
        def mine(rows: list[Row]) -> list[Row]:
            return [row for row in rows if row["channel"] == key]

        described = mine(self.channels)
        return RecomputedChannel(
            mine(self.posts), mine(self.view_samples), mine(self.subscriber_samples), described
        )


class RecomputedChannel:
    def __init__(
        self, posts: list[Row], views: list[Row], subscribers: list[Row], described: list[Row]
    ) -> None:
        self.dates = {row["message_id"]: ms(row["date"]) for row in posts}
        self.texts = {row["message_id"]: row["text"] for row in posts}
        #: Counters of each post by the instant at which they were read.
        self.samples: dict[int, Samples] = defaultdict(dict)
        for row in views:
            at_ms = ms(row["sampled_at"])
            self.samples[row["message_id"]][at_ms] = {"views": row["views"]}
        #: When each post was seen first.
        self.seen: dict[int, int] = {}
        self.albums: dict[int, list[int]] = defaultdict(list)
        for row in posts:
            if row.get("album_id") is not None:
                self.albums[row["album_id"]].append(row["message_id"])
            if row["sampled_at"] is None:
                self.seen[row["message_id"]] = ms(row["date"])
                continue
            at_ms, own = ms(row["sampled_at"]), _own(row)
            first_ms = min([at_ms, *self.samples.get(row["message_id"], ())])
            self.seen[row["message_id"]] = first_ms
            if own:
                sample = self.samples[row["message_id"]].setdefault(at_ms, {})
                self.samples[row["message_id"]][at_ms] = {**own, **sample}
        self.subscribers = {ms(row["sampled_at"]): row["subscribers"] for row in subscribers}
        for row in described:
            if row.get("subscribers") is not None and row.get("subscribers_at"):
                self.subscribers.setdefault(ms(row["subscribers_at"]), row["subscribers"])
        instants = [at_ms for samples in self.samples.values() for at_ms in samples]
        self.observed = sorted({*self.seen.values(), *instants, *self.subscribers})
        self.first_observed_ms, self.last_observed_ms = self.observed[0], self.observed[-1]

    def newest(self, post_id: int) -> Row:
        """Every counter's newest value; absent where it never had one."""
        counters: Row = {}
        for at_ms in sorted(self.samples.get(post_id, ())):
            counters.update(self.samples[post_id][at_ms])
        return counters

    @cached_property
    def gains(self) -> dict[int, Row]:
        """What each minute gained, by its start; a counter is absent where nothing was measured."""
        minutes: dict[int, Row] = defaultdict(dict)
        for post_id, samples in self.samples.items():
            if post_id in self._followers:
                continue
            before_ms: int | None = None
            highest: Row = {}
            for at_ms in sorted(samples):
                minute = minutes[at_ms // MINUTE_MS * MINUTE_MS]
                lapsed = before_ms is not None and at_ms - before_ms > 90 * DAY_MS
                for name, value in samples[at_ms].items():
                    base = highest.get(name)
                    if base is None and self._appeared(post_id, at_ms):
                        base = 0
                    if lapsed:
                        base = None
                        highest.pop(name, None)
                    if base is not None:
                        minute[name] = minute.get(name, 0) + max(value - base, 0)
                    highest[name] = max(value, highest.get(name, value))
                before_ms = at_ms
        return minutes

    @cached_property
    def _followers(self) -> set[int]:
        """All of an album but the lowest of those that were seen first."""
        followers: set[int] = set()
        for members in self.albums.values():
            leader = min(members, key=lambda post_id: (self.seen[post_id], post_id))
            followers |= set(members) - {leader}
        return followers

    def _appeared(self, post_id: int, at_ms: int) -> bool:
        """Whether the channel was observed before its date, at most a day before the sample."""
        place = bisect_left(self.observed, at_ms - DAY_MS)
        return self.observed[place] < self.dates[post_id]

    @cached_property
    def views_at_ages(self) -> dict[int, dict[int, Fraction]]:
        """Views of each post at the fixed ages that its samples tell of."""
        known: dict[int, dict[int, Fraction]] = {}
        for post_id, samples in self.samples.items():
            viewed = {
                at_ms - self.dates[post_id]: sample.get("views")
                for at_ms, sample in sorted(samples.items())
            }
            known[post_id] = _at_ages(viewed)
        return known

    def published(self, from_ms: int, to_ms: int) -> list[int]:
        return sorted(post for post, date in self.dates.items() if from_ms <= date < to_ms)

    def overview(self, from_ms: int, to_ms: int) -> Row:
        posts = self.published(from_ms, to_ms)
        newest = [self.newest(post) for post in posts]
        views = [counters["views"] for counters in newest if "views" in counters]
        answered = [c for c in newest if "views" in c and len(c) > 1]
        answers = sum(sum(c.get(name, 0) for name in COUNTERS[1:]) for c in answered)
        audience, change = self._subscribers(from_ms, to_ms)
        mean = Fraction(sum(views), len(views)) if views else None
        reach = {age: self._reach(posts, age) for age in AGES_S}
        gained = [
            gains["views"]
            for start, gains in self.gains.items()
            if from_ms <= start < to_ms and "views" in gains
        ]
        day = reach[86_400]
        return {
            "subscribers": audience,
            "subscribers_change": change,
            "posts": len(posts),
            "views": sum(views) if views else None,
            "views_gained": sum(gained) if gained else None,
            **{name: _total(newest, name) for name in COUNTERS[1:]},
            "views_per_post_mean": None if mean is None else float(mean),
            "views_per_post_median": float(median(views)) if views else None,
            "err_percent": exact(100 * mean, audience) if mean and audience else None,
            "err24_percent": exact(100 * day, audience) if day and audience else None,
            "er_by_views_percent": exact(100 * answers, sum(c["views"] for c in answered)),
            "posts_per_day": exact(len(posts) * DAY_MS, to_ms - from_ms),
            **{
                f"reach_{hours}h": None if (r := reach[hours * 3600]) is None else float(r)
                for hours in (1, 12, 24, 48)
            },
        }

    def views(self, from_ms: int, to_ms: int, step_ms: int) -> list[Row]:
        points = []
        for start in range(from_ms, to_ms, step_ms):
            end = min(start + step_ms, to_ms)
            within = [gains for minute, gains in self.gains.items() if start <= minute < end]
            points.append(
                {
                    "time_ms": start,
                    **{f"{name}_gained": _total(within, name) for name in COUNTERS},
                    "posts": len(self.published(start, end)),
                }
            )
        return points

    def growth(self, from_ms: int, to_ms: int, step_ms: int) -> list[Row]:
        points = []
        for start in range(from_ms, to_ms, step_ms):
            end = min(start + step_ms, to_ms)
            within = [at_ms for at_ms in self.subscribers if start <= at_ms < end]
            before = [at_ms for at_ms in self.subscribers if at_ms < start]
            last = self.subscribers[max(within)] if within else None
            known = last is not None and before
            change = last - self.subscribers[max(before)] if known and last is not None else None
            points.append(
                {
                    "time_ms": start,
                    "subscribers": last,
                    "change": change,
                    "joined": None,
                    "left": None,
                }
            )
        return points

    def curve(self, post_id: int) -> list[Row]:
        return [
            {
                "observed_at_ms": at_ms,
                "age_s": (at_ms - self.dates[post_id]) // 1000,
                **{name: sample.get(name) for name in COUNTERS},
            }
            for at_ms, sample in sorted(self.samples.get(post_id, {}).items())
        ]

    def _subscribers(self, from_ms: int, to_ms: int) -> tuple[int | None, int | None]:
        known = sorted(at_ms for at_ms in self.subscribers if at_ms < to_ms)
        if not known:
            return None, None
        newest = self.subscribers[known[-1]]
        within = [at_ms for at_ms in known if at_ms >= from_ms]
        before = [at_ms for at_ms in known if at_ms < from_ms]
        base = before[-1:] or within[:1]
        if not within or base == within[-1:]:
            return newest, None
        return newest, newest - self.subscribers[base[0]]

    def _reach(self, posts: list[int], age_s: int) -> Fraction | None:
        known = [
            self.views_at_ages[post][age_s]
            for post in posts
            if age_s in self.views_at_ages.get(post, {})
        ]
        return sum(known, Fraction()) / len(known) if known else None


def _own(row: Row) -> Row:
    counters = {name: row[name] for name in COUNTERS[:3] if row[name] is not None}
    if row["reactions"] is not None:
        counters["reactions"] = sum(row["reactions"].values())
    return counters


def _total(rows: list[Row], name: str) -> int | None:
    known = [row[name] for row in rows if name in row]
    return sum(known) if known else None


def _at_ages(viewed: dict[int, int | None]) -> dict[int, Fraction]:
    """By straight lines between samples no further apart than the age; exact where sampled."""
    known: dict[int, Fraction] = {}
    ages_ms = sorted(viewed)
    for age_s in AGES_S:
        age_ms = age_s * 1000
        place = bisect_right(ages_ms, age_ms)
        if place and ages_ms[place - 1] == age_ms:
            exactly = viewed[age_ms]
            if exactly is not None:
                known[age_s] = Fraction(exactly)
        elif 0 < place < len(ages_ms):
            t0, t1 = ages_ms[place - 1], ages_ms[place]
            v0, v1 = viewed[t0], viewed[t1]
            if t1 - t0 <= age_ms and v0 is not None and v1 is not None:
                known[age_s] = v0 + Fraction((v1 - v0) * (age_ms - t0), t1 - t0)
    return known
