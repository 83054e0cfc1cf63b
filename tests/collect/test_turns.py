"""The schedule of samples: never late, even, and no dearer than a request for each post."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.settings import CollectorSettings
from collect.turns import Turns
from streams.events import MAX_POSTS
from streams.ids import PostId
from streams.units import HOUR_MS, MINUTE_MS

SCHEDULE = CollectorSettings().sampling
START_MS = 1_735_689_600_000
#: Of an answer, and of what comes before a turn.
LATENCY_MS = 300


class Request(NamedTuple):
    at_ms: int
    post_ids: Sequence[PostId]


class Played:
    """Turns for posts that appear at their dates; those before the start are put at it."""

    def __init__(self, dates: Iterable[int], minutes: int, phase_ms: int = 7_000) -> None:
        self.date_ms = {PostId(i): date for i, date in enumerate(sorted(dates), 1)}
        self.requests: list[Request] = []
        #: When each post was read.
        self.reads: dict[PostId, list[int]] = defaultdict(list)
        self.end_ms = START_MS + minutes * MINUTE_MS
        self._turns = Turns(SCHEDULE, phase_ms)
        self._play()

    def _play(self) -> None:
        coming = [(max(date, START_MS), post_id) for post_id, date in self.date_ms.items()]
        heapq.heapify(coming)
        while True:
            due_ms = self._turns.next_due_ms()
            if coming and (due_ms is None or coming[0][0] <= due_ms):
                self._come(coming)
            elif due_ms is None or due_ms > self.end_ms:
                return
            else:
                now_ms = max(due_ms, self.requests[-1].at_ms if self.requests else 0)
                self._request(now_ms)

    def _come(self, coming: list[tuple[int, PostId]]) -> None:
        at_ms, put = coming[0][0], {}
        while coming and coming[0][0] == at_ms:
            _, post_id = heapq.heappop(coming)
            put[post_id] = self.date_ms[post_id]
            self.reads[post_id].append(at_ms)
        self._turns.put(put, at_ms)

    def _request(self, now_ms: int) -> None:
        found = self._turns.due(now_ms)
        assert found == self._turns.due(now_ms)
        assert len(found) == len(set(found)) <= MAX_POSTS
        self._turns.sampled(found, now_ms + LATENCY_MS)
        if found:
            self.requests.append(Request(now_ms + LATENCY_MS, found))
        for post_id in found:
            self.reads[post_id].append(now_ms + LATENCY_MS)

    def minutes(self, after_ms: int) -> list[list[tuple[int, PostId]]]:
        """What was read when, by the minute; whole minutes only."""
        by_minute: dict[int, list[tuple[int, PostId]]] = defaultdict(list)
        for at_ms, post_ids in self.requests:
            by_minute[at_ms // MINUTE_MS] += [(at_ms, i) for i in post_ids]
        return [
            by_minute[n] for n in range(after_ms // MINUTE_MS + 1, self.end_ms // MINUTE_MS - 1)
        ]


def every_ms(age_ms: int) -> int | None:
    return next((every for younger, every in SCHEDULE if age_ms < younger), None)


def requests_one_by_one(dates: Iterable[int], end_ms: int) -> int:
    """How many it would be with each post in its own time, those due together in one request."""
    dues = [(date + MINUTE_MS, date) for date in dates]
    heapq.heapify(dues)
    count = 0
    while dues and dues[0][0] <= end_ms:
        now_ms, count = dues[0][0], count + 1
        together = 0
        while dues and dues[0][0] <= now_ms and together < MAX_POSTS:
            _, date = heapq.heappop(dues)
            together += 1
            if wait_ms := every_ms(now_ms - date):
                heapq.heappush(dues, (now_ms + wait_ms, date))
    return count


def steady(posts_per_hour: int, hours: int) -> list[int]:
    """From 30 days before the start on."""
    step = HOUR_MS // posts_per_hour
    first = START_MS - 30 * 24 * HOUR_MS
    dates = range(first + step // 3, START_MS + hours * HOUR_MS, step)
    return list(dates)[-(3000 + posts_per_hour * hours) :]


ages = st.integers(-120 * MINUTE_MS, 31 * 24 * HOUR_MS)


@settings(max_examples=25)
@given(st.lists(ages, min_size=1, max_size=300), st.integers(0, 30_000))
def test_no_post_is_ever_read_later_than_its_interval_and_a_tick(
    ages: list[int], phase_ms: int
) -> None:
    played = Played([START_MS - age for age in ages], 130, phase_ms)
    for post_id, reads in played.reads.items():
        date = played.date_ms[post_id]
        for before_ms, after_ms in pairwise([*reads, played.end_ms]):
            wait_ms = every_ms(before_ms - date)
            if wait_ms is not None and every_ms(after_ms - date) is not None:
                assert after_ms - before_ms <= wait_ms + MINUTE_MS


@settings(max_examples=25)
@given(st.lists(st.integers(1, 180 * MINUTE_MS), min_size=1, max_size=60, unique=True))
def test_never_more_requests_than_posts_one_by_one(offsets: list[int]) -> None:
    dates = [START_MS + offset for offset in offsets]
    played = Played(dates, 240)
    # one more where the grid cuts the first interval of a post short
    assert len(played.requests) <= requests_one_by_one(dates, played.end_ms) + len(dates)
    turns = [request.at_ms // MINUTE_MS for request in played.requests]
    assert len(turns) == len(set(turns)) <= 240


def test_one_request_a_minute_whatever_is_young() -> None:
    played = Played(steady(10, 2), 120)
    assert len(played.requests) <= 120
    assert all(len(request.post_ids) == MAX_POSTS for request in played.requests)


def test_one_post_alone_costs_what_its_age_does() -> None:
    counts = {age_h: len(Played([START_MS - age_h * HOUR_MS], 60).requests) for age_h in (0, 2, 7)}
    assert counts == {0: 60, 2: 12, 7: 2}


def views_of(post_id: PostId, age_ms: int) -> float:
    """Saturating, and not the same for all posts."""
    hours = age_ms / HOUR_MS
    return (1 + post_id % 5) * 1000 * hours / (hours + 2)


@pytest.mark.parametrize("posts_per_hour", [1, 3, 10, 25, 60])
def test_each_minute_samples_and_gains_about_the_same(posts_per_hour: int) -> None:
    """After everything was read at one instant, the worst start, and half an hour."""
    played = Played(steady(posts_per_hour, 4), 240)
    gained: dict[int, float] = defaultdict(float)
    for post_id, reads in played.reads.items():
        date = played.date_ms[post_id]
        for before_ms, after_ms in pairwise(reads):
            gain = views_of(post_id, after_ms - date) - views_of(post_id, before_ms - date)
            gained[after_ms // MINUTE_MS] += gain
    after_ms = START_MS + 35 * MINUTE_MS
    minutes = played.minutes(after_ms)
    counts = [len(minute) for minute in minutes]
    gains = [gained[after_ms // MINUTE_MS + 1 + n] for n in range(len(minutes))]
    for numbers in (counts, gains):
        mean = sum(numbers) / len(numbers)
        assert mean / 2 <= min(numbers)
        assert max(numbers) <= 2 * mean


def test_older_classes_alone_are_spread_over_their_interval() -> None:
    """No young posts: 40 of 1-6 h have a turn a minute, 40 of 6-48 h one in five minutes."""
    middle = Played([START_MS - 2 * HOUR_MS - n * 1000 for n in range(40)], 60)
    older = Played([START_MS - 9 * HOUR_MS - n * 1000 for n in range(40)], 60)
    assert len(middle.requests) == 60
    assert len(older.requests) == 12


def test_what_was_read_by_other_ways_ends_the_turn() -> None:
    turns = Turns(SCHEDULE)
    turns.put({PostId(1): START_MS}, START_MS)
    now_ms = START_MS + MINUTE_MS
    turns.put({PostId(1): START_MS}, now_ms)
    assert (turns.next_due_ms(), turns.due(now_ms)) == (now_ms, [])
    turns.sampled((), now_ms)
    assert turns.next_due_ms() == now_ms + MINUTE_MS
