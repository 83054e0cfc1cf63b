"""Reach of posts known at any ages, against the same worked out post by post."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.chdb import ChdbHistory, ChdbSettings
from clickhouse.history_reader import HistoryReader
from clickhouse.reader import Evidence, Overview
from clickhouse.rows import ObservedRows
from clickhouse.upserts import DecidedRows
from streams.analytics import PostAge
from streams.events import Post, PostsSeen, SubscribersSampled
from streams.ids import ChannelId, PostId
from streams.units import DAY_MS, HOUR_MS
from tests.clickhouse.told import START_MS

CHANNEL = ChannelId(1_300_000_001)
AGES = (1, 12, 24, 48)
FIGURES = tuple(f"reach_{hours}h" for hours in AGES)
SUBSCRIBERS = 1_000
#: One an hour; of every third less is known than of the others, and every fifth is an album.
NUMBER = 72
END_OF_POSTS_MS = START_MS + NUMBER * HOUR_MS


class Aged(NamedTuple):
    """A post, and by member of its album the views by age in hours; they may fall."""

    date_ms: int
    members: list[dict[int, float]]

    @property
    def views(self) -> dict[int, float]:
        known = {age for views in self.members for age in views}
        return {age: max(views.get(age, 0.0) for views in self.members) for age in known}


def _posts() -> list[Aged]:
    random = Random(7)
    posts = []
    for number in range(NUMBER):
        likely = 0.9 if number % 3 else 0.4
        members = [
            {a: random.randrange(10_000) / 7 for a in AGES if random.random() < likely}
            for _ in range(1 if number % 5 else 3)
        ]
        posts.append(Aged(START_MS + number * HOUR_MS, members))
    return posts


POSTS = _posts()
#: Single days and halves of them, all of it, and one in which there is no post.
RANGES = [
    *((START_MS + i * DAY_MS // 2, START_MS + (i + 1) * DAY_MS // 2) for i in range(6)),
    *((START_MS + i * DAY_MS, START_MS + (i + 1) * DAY_MS) for i in range(3)),
    (START_MS, END_OF_POSTS_MS),
    (START_MS - DAY_MS, START_MS),
]


def _id(post: int, member: int) -> PostId:
    return PostId(10 * post + member)


def _age(post_id: PostId, date_ms: int, hours: int, views: float) -> PostAge:
    return PostAge(
        channel_id=CHANNEL,
        observed_at_ms=date_ms + hours * HOUR_MS,
        post_id=post_id,
        age_s=hours * 3600,
        views=views,
    )


@pytest.fixture(scope="module")
def told(keeper: tuple[Client, Path]) -> Iterator[ChdbSettings]:
    client, engine = keeper
    settings = ChdbSettings(database="reach")

    async def prepare() -> None:
        history = await ChdbHistory.open(engine, settings)
        await history.migrate()
        observed, decided = ObservedRows(), DecidedRows()
        seen = [
            Post(_id(i, j), post.date_ms, album_id=i if len(post.members) > 1 else None)
            for i, post in enumerate(POSTS, 1)
            for j in range(len(post.members))
        ]
        observed.take(PostsSeen(channel_id=CHANNEL, observed_at_ms=END_OF_POSTS_MS, posts=seen))
        observed.take(
            SubscribersSampled(
                channel_id=CHANNEL, observed_at_ms=START_MS - 2 * DAY_MS, subscribers=SUBSCRIBERS
            )
        )
        for number, post in enumerate(POSTS, 1):
            for member, known in enumerate(post.members):
                for hours, views in known.items():
                    decided.take(_age(_id(number, member), post.date_ms, hours, views))
        for insert in (*observed.inserts("reach"), *decided.inserts("reach", 1)):
            await history.insert(insert)
        await history.close()

    asyncio.run(prepare())
    yield settings
    client.command("DROP DATABASE reach SYNC")


@pytest.fixture
async def reader(engine: Path, told: ChdbSettings) -> AsyncIterator[HistoryReader]:
    history = await ChdbHistory.open(engine, told)
    yield HistoryReader(history)
    await history.close()


def _shown(overview: Overview) -> dict[int, float]:
    """By age in hours."""
    figures = zip(AGES, FIGURES, strict=True)
    return {a: value for a, name in figures if (value := getattr(overview, name)) is not None}


def _numbers(overview: Overview, evidence: Evidence) -> set[int]:
    shown = (f"reach_{hours}h" for hours in _shown(overview))
    return {evidence.figures[name].n for name in shown}


async def test_reach_is_that_of_the_posts_known_at_every_age_shown(reader: HistoryReader) -> None:
    choices = set()
    for from_ms, to_ms in RANGES:
        overview, evidence = await reader.overview(CHANNEL, from_ms, to_ms)
        posts = [post.views for post in POSTS if from_ms <= post.date_ms < to_ms]
        ages = _best(posts)
        chosen = [views for views in posts if all(age in views for age in ages)] if ages else []
        assert _shown(overview) == pytest.approx(
            {age: float(sum(_highest(v, age) for v in chosen) / len(chosen)) for age in ages}
        )
        assert _numbers(overview, evidence) == ({len(chosen)} if ages else set())
        day_old = [Fraction(views[24]) for views in posts if 24 in views]
        mean = sum(day_old, Fraction()) / len(day_old) if day_old else None
        assert overview.err24_percent == (
            None if mean is None else pytest.approx(float(100 * mean / SUBSCRIBERS))
        )
        assert evidence.figures["err24_percent"].n == len(day_old)
        choices.add(ages)
    assert len(choices) > 2  # not the same ages everywhere


async def test_shown_reach_never_falls_and_rests_on_one_number(reader: HistoryReader) -> None:
    for from_ms, to_ms in RANGES:
        overview, evidence = await reader.overview(CHANNEL, from_ms, to_ms)
        shown = [views for _, views in sorted(_shown(overview).items())]
        assert all(younger <= older for younger, older in pairwise(shown))
        assert len(_numbers(overview, evidence)) == bool(shown)
        for name in FIGURES:
            assert evidence.figures[name].known == (getattr(overview, name) is not None)


async def test_a_wider_range_without_posts_changes_no_reach(reader: HistoryReader) -> None:
    """To the last bit."""
    expected, evidence = await reader.overview(CHANNEL, START_MS, END_OF_POSTS_MS)
    assert _shown(expected)
    for before, after in ((0, DAY_MS), (DAY_MS, 0), (40 * DAY_MS, 400 * DAY_MS)):
        wider = (START_MS - before, END_OF_POSTS_MS + after)
        overview, rests = await reader.overview(CHANNEL, *wider)
        assert _shown(overview) == _shown(expected)
        assert overview.err24_percent == expected.err24_percent
        for name in (*FIGURES, "err24_percent"):
            assert rests.figures[name].n == evidence.figures[name].n
            assert rests.figures[name].as_of_ms == evidence.figures[name].as_of_ms


def _best(posts: list[dict[int, float]]) -> tuple[int, ...]:
    """Most posts times ages; then most ages; then the oldest."""
    best, found = (0, 0, ()), ()
    for number in range(1, len(AGES) + 1):
        for ages in combinations(AGES, number):
            known = sum(all(age in views for age in ages) for views in posts)
            place = (number * known, number, ages[::-1])
            if known and place > best:
                best, found = place, ages
    return found


def _highest(views: dict[int, float], until: int) -> Fraction:
    return max(Fraction(seen) for age, seen in views.items() if age <= until)
