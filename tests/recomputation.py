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

    @property
    def gains(self) -> dict[int, Row]:
        """What each minute gained, by its start; a counter is absent where nothing was measured."""
        return self._minutes[0]

    @property
    def measured(self) -> dict[int, int]:
        """How many times a post was sampled in each minute so that any counter's gain is known."""
        return self._minutes[1]

    @cached_property
    def _minutes(self) -> tuple[dict[int, Row], dict[int, int]]:
        minutes: dict[int, Row] = defaultdict(dict)
        measured: dict[int, int] = defaultdict(int)
        for post_id, samples in self.samples.items():
            if post_id in self._followers:
                continue
            before_ms: int | None = None
            highest: Row = {}
            for at_ms in sorted(samples):
                minute = minutes[at_ms // MINUTE_MS * MINUTE_MS]
                lapsed = before_ms is not None and at_ms - before_ms > 90 * DAY_MS
                known = False
                for name, value in samples[at_ms].items():
                    base = highest.get(name)
                    if base is None and self._appeared(post_id, at_ms):
                        base = 0
                    if lapsed:
                        base = None
                        highest.pop(name, None)
                    if base is not None:
                        known = True
                        minute[name] = minute.get(name, 0) + max(value - base, 0)
                    highest[name] = max(value, highest.get(name, value))
                before_ms = at_ms
                measured[at_ms // MINUTE_MS * MINUTE_MS] += known
        return minutes, measured

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

    def curve(self, post_id: int) -> list[Row]:
        return [
            {
                "observed_at_ms": at_ms,
                "age_s": (at_ms - self.dates[post_id]) // 1000,
                **{name: sample.get(name) for name in COUNTERS},
            }
            for at_ms, sample in sorted(self.samples.get(post_id, {}).items())
        ]


def _own(row: Row) -> Row:
    counters = {name: row[name] for name in COUNTERS[:3] if row[name] is not None}
    if row["reactions"] is not None:
        counters["reactions"] = sum(row["reactions"].values())
    return counters


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
