"""What the minutes of a channel gained, of all its samples at once, computed one by one.

The definitions of the glossary in plain Python, to compare with what history computes in SQL.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from streams.counters import NAMES
from streams.events import CountersSampled, Event, Post, PostsDeleted, PostsEdited, PostsSeen
from streams.units import DAY_MS, MINUTE_MS

COUNTERS = NAMES

Minutes = Mapping[int, Mapping[str, Any]]


class Channel:
    def __init__(self, events: Sequence[Event]) -> None:
        self.observed = sorted({event.observed_at_ms for event in events})
        self.dates: dict[int, int] = {}
        self.albums: dict[int, int | None] = {}
        self.deleted: dict[int, int] = {}
        #: Counters by post and instant; of one instant the highest.
        self.samples: dict[int, dict[int, dict[str, int]]] = defaultdict(dict)
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        at_ms = event.observed_at_ms
        match event:
            case PostsSeen() | PostsEdited():
                for post in event.posts:
                    self.dates[post.post_id] = post.date_ms
                    self.albums[post.post_id] = post.album_id
                    if any(value is not None for value in _counters(post).values()):
                        self._sample(post.post_id, at_ms, _counters(post))
            case CountersSampled():
                for place, post_id in enumerate(event.post_ids):
                    columns = ((name, getattr(event, name)) for name in COUNTERS)
                    counters = {name: column[place] for name, column in columns if column}
                    self._sample(post_id, at_ms, counters)
            case PostsDeleted():
                for post_id in event.post_ids:
                    self.deleted[post_id] = min(at_ms, self.deleted.get(post_id, at_ms))

    def _sample(self, post_id: int, at_ms: int, counters: Mapping[str, int | None]) -> None:
        sample = self.samples[post_id].setdefault(at_ms, {})
        for name, value in counters.items():
            if value is not None:
                sample[name] = max(value, sample.get(name, value))

    def minutes(self) -> Minutes:
        minutes: dict[int, dict[str, Any]] = {}
        self._put_instants(minutes)
        for post_id, samples in self.samples.items():
            highest: dict[str, int] = {}
            before_ms: int | None = None
            for at_ms in sorted(samples):
                if before_ms is not None and at_ms - before_ms > 90 * DAY_MS:
                    highest = {}
                gains = self._gains(post_id, at_ms, samples[at_ms], highest)
                if gains and self._leads(post_id, at_ms):
                    minute = minutes[at_ms // MINUTE_MS * MINUTE_MS]
                    minute["samples"] += 1
                    for name, gain in gains.items():
                        minute[name] = minute.get(name, 0) + gain
                for name, value in samples[at_ms].items():
                    highest[name] = max(value, highest.get(name, value))
                before_ms = at_ms
        return minutes

    def _put_instants(self, minutes: dict[int, dict[str, Any]]) -> None:
        before_ms: int | None = None
        for at_ms in sorted({at_ms for samples in self.samples.values() for at_ms in samples}):
            start_ms = at_ms // MINUTE_MS * MINUTE_MS
            near = before_ms is not None and at_ms - before_ms <= DAY_MS
            fresh = {"samples": 0, "from": before_ms if near else None}
            minutes.setdefault(start_ms, fresh)["to"] = at_ms
            before_ms = at_ms

    def _gains(
        self, post_id: int, at_ms: int, sample: Mapping[str, int], highest: Mapping[str, int]
    ) -> dict[str, int]:
        gains = {}
        for name, value in sample.items():
            if name in highest:
                gains[name] = max(value - highest[name], 0)
            elif self._counts_from_zero(post_id, at_ms):
                gains[name] = value
        return gains

    def _counts_from_zero(self, post_id: int, at_ms: int) -> bool:
        date_ms = self.dates.get(post_id)
        if date_ms is None or at_ms - date_ms > DAY_MS:
            return False
        return any(at_ms - DAY_MS <= each < date_ms for each in self.observed)

    def _leads(self, post_id: int, at_ms: int) -> bool:
        album = self.albums.get(post_id)
        return album is None or not any(
            other < post_id and self.deleted.get(other, at_ms + 1) > at_ms
            for other, its_album in self.albums.items()
            if its_album == album
        )


def _counters(post: Post) -> dict[str, int | None]:
    reactions = None if post.reactions is None else sum(post.reactions.values())
    return {
        "views": post.views,
        "forwards": post.forwards,
        "replies": post.replies,
        "reactions": reactions,
    }
