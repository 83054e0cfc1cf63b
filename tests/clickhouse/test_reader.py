"""The reader's answers over channels told by hand (tests/clickhouse/told.py)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.answers import HistoryReader
from clickhouse.chdb import ChdbHistory, ChdbSettings
from clickhouse.history import QueryFailed
from clickhouse.reader import (
    AlertRow,
    Channel,
    CurvePoint,
    Evidence,
    GrowthPoint,
    Overview,
    ViewsPoint,
)
from streams.ids import InvalidChannel, PostId
from tests.clickhouse.told import DAY_MS, END_MS, HOUR_MS, NEWS, QUIET, START_MS, at, tell

#: Of a channel of which nothing at all is known in the range.
NOTHING = Overview(None, None, 0, *[None] * 10, 0.0, *[None] * 4)  # type: ignore[arg-type]
LIVE = ["telegram"]


@pytest.fixture(scope="module")
def told(keeper: tuple[Client, Path]) -> Iterator[ChdbSettings]:
    """What is told is only read here, so once is enough."""
    client, engine = keeper
    settings = ChdbSettings(database="told")

    async def prepare() -> None:
        history = await ChdbHistory.open(engine, settings)
        await history.migrate()
        await tell(history)
        await history.close()

    asyncio.run(prepare())
    yield settings
    client.command("DROP DATABASE told SYNC")


@pytest.fixture
async def reader(engine: Path, told: ChdbSettings) -> AsyncIterator[HistoryReader]:
    history = await ChdbHistory.open(engine, told)
    yield HistoryReader(history)
    await history.close()


async def test_channels(reader: HistoryReader) -> None:
    news = Channel(NEWS, "NewsNow", "News", 1100, at(-20), at(3), at(30), "live")
    quiet = Channel(QUIET, None, None, 77, at(5), None, None, "recorded")
    assert await reader.channels() == [news, quiet]
    for reference in ("newsnow", "@NewsNow", str(NEWS), f"-100{NEWS}"):
        assert await reader.channel(reference) == news
    assert await reader.channel("nobody") is None
    assert await reader.channel("12345") is None
    with pytest.raises(InvalidChannel):
        await reader.channel("not a channel")


async def test_overview(reader: HistoryReader) -> None:
    overview, evidence = await reader.overview(NEWS, START_MS, END_MS)
    assert overview == Overview(
        subscribers=1004,
        subscribers_change=4,  # 1004 - 1000: the newest before the day
        posts=3,  # 1, the album, 6; 5 was deleted
        views=160,  # 100 + max(60, 44)
        views_gained=146,  # 120 + 26
        forwards=4,  # 3 + max(1, 1)
        replies=5,
        reactions=None,
        views_per_post_mean=80.0,
        views_per_post_median=80.0,
        err_percent=100 * 160 / (2 * 1004),
        err24_percent=None,
        er_by_views_percent=100 * 9 / 160,
        posts_per_day=3.0,
        reach_1h=26.0,  # (30 + max(21, 22)) / 2
        reach_12h=99.0,
        reach_24h=None,
        reach_48h=None,
    )
    assert evidence == Evidence(as_of_ms=at(8.5), coverage=2 / 3, sources=LIVE)


async def test_overview_of_nothing_known(reader: HistoryReader) -> None:
    overview, evidence = await reader.overview(NEWS, at(-100), at(-50))
    assert overview == NOTHING
    assert evidence == Evidence(None, 0.0, [])


async def test_overview_of_a_single_subscriber_sample(reader: HistoryReader) -> None:
    overview, evidence = await reader.overview(QUIET, START_MS, END_MS)
    assert overview == msgspec.structs.replace(NOTHING, subscribers=77)
    assert evidence == Evidence(at(5), 0.0, ["recording"])


async def test_views_by_hour_and_by_minutes_agree(reader: HistoryReader) -> None:
    hours, evidence = await reader.views(NEWS, START_MS, END_MS, HOUR_MS)
    assert len(hours) == 24
    assert hours[4] == ViewsPoint(at(4), 120, None, None, None, 0)
    assert hours[5] == ViewsPoint(at(5), None, None, None, None, 0)
    assert hours[6] == ViewsPoint(at(6), 26, None, None, None, 0)
    assert [point.posts for point in hours[:4]] == [0, 1, 1, 1]
    assert evidence == Evidence(at(6) + 30_000, 2 / 24, LIVE)
    minutes, _ = await reader.views(NEWS, START_MS, END_MS + HOUR_MS // 2, HOUR_MS)
    assert minutes[:24] == hours
    [day], _ = await reader.views(NEWS, START_MS, END_MS, DAY_MS)
    assert (day.views_gained, day.posts) == (146, 3)


async def test_views_begin_where_they_are_asked_to(reader: HistoryReader) -> None:
    points, _ = await reader.views(NEWS, at(4) + 1, at(4) + 120_000, 60_000)
    assert [(point.time_ms, point.views_gained) for point in points] == [
        (at(4) + 1, None),  # the minute of 04:01 starts in it, and measured nothing
        (at(4) + 60_001, None),
    ]


async def test_growth(reader: HistoryReader) -> None:
    for until in (END_MS, END_MS + HOUR_MS // 2):
        points, evidence = await reader.growth(NEWS, START_MS, until, HOUR_MS)
        assert points[7] == GrowthPoint(at(7), None, None, None, None)
        assert points[8] == GrowthPoint(at(8), 1004, 4, None, None)
        assert evidence.as_of_ms == at(8.5)
        assert evidence.coverage == 1 / len(points)
        assert evidence.sources == LIVE
    days, _ = await reader.growth(NEWS, START_MS - DAY_MS, END_MS + DAY_MS, DAY_MS)
    assert [(day.subscribers, day.change) for day in days] == [(1000, None), (1004, 4), (1100, 96)]


async def test_posts_newest_first(reader: HistoryReader) -> None:
    page, evidence = await reader.posts(NEWS, START_MS, END_MS, "date", 10, None)
    assert [post.post_id for post in page.rows] == [6, 5, 2, 1]
    six, five, album, one = page.rows
    assert (six.views, six.velocity_per_h, six.er_by_views_percent) == (None, None, None)
    assert five.deleted
    assert (album.text, album.views, album.forwards, album.deleted) == ("album", 60, 1, False)
    assert album.velocity_per_h == 10.0  # (60 - 40) / 2 h
    assert (one.text, one.edited, one.url) == ("one, edited", True, "https://t.me/NewsNow/1")
    assert one.er_by_views_percent == 100 * 8 / 100
    assert one.velocity_per_h == 5.0
    assert page.cursor is None
    assert evidence == Evidence(at(6), 3 / 4, LIVE)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("views", [1, 2, 5, 6]),
        ("forwards", [1, 2, 6, 5]),
        ("replies", [1, 6, 5, 2]),
        ("reactions", [6, 5, 2, 1]),
        ("velocity", [2, 1, 6, 5]),
    ],
)
async def test_pages_by_each_sort(reader: HistoryReader, sort: str, expected: list[int]) -> None:
    found, cursor = [], None
    for _ in range(4):
        page, _ = await reader.posts(NEWS, START_MS, END_MS, sort, 1, cursor)
        found += [post.post_id for post in page.rows]
        cursor = page.cursor
    assert found == expected
    assert cursor is None


@pytest.mark.parametrize("cursor", ["", "?", "AAAA", "k6RkYXRl", "é"])
async def test_a_cursor_that_is_none_is_refused(reader: HistoryReader, cursor: str) -> None:
    with pytest.raises(QueryFailed, match="cursor"):
        await reader.posts(NEWS, START_MS, END_MS, "date", 1, cursor)


async def test_a_cursor_of_another_sort_is_refused(reader: HistoryReader) -> None:
    page, _ = await reader.posts(NEWS, START_MS, END_MS, "views", 1, None)
    with pytest.raises(QueryFailed, match="sorted by views"):
        await reader.posts(NEWS, START_MS, END_MS, "date", 1, page.cursor)
    with pytest.raises(QueryFailed, match="none of date"):
        await reader.posts(NEWS, START_MS, END_MS, "best", 1, None)


async def test_a_post_of_an_album_is_the_album(reader: HistoryReader) -> None:
    answer = await reader.post(NEWS, PostId(3))
    assert answer is not None
    post, evidence = answer
    assert (post.post_id, post.views, post.text) == (2, 60, "album")
    assert evidence == Evidence(at(6), 1.0, LIVE)
    assert await reader.post(NEWS, PostId(99)) is None


async def test_curves(reader: HistoryReader) -> None:
    answer = await reader.curve(NEWS, PostId(1))
    assert answer is not None
    assert answer[0] == [
        CurvePoint(at(1), 0, 0, 0, None, None),
        CurvePoint(at(4), 10_800, 90, 3, None, None),
        CurvePoint(at(6), 18_000, 100, None, 5, None),
    ]
    assert answer[1] == Evidence(at(6), 1.0, LIVE)
    assert await reader.curve(NEWS, PostId(6)) == ([], Evidence(None, 0.0, []))
    assert await reader.curve(NEWS, PostId(99)) is None


async def test_alerts(reader: HistoryReader) -> None:
    alert = AlertRow(
        "spike-1", NEWS, "spike", "resolved", at(4), at(6), PostId(1), 120.0, 12.5, "median"
    )
    assert await reader.alerts(None, START_MS, END_MS, 10) == [alert]
    assert await reader.alerts(NEWS, START_MS, at(4), 10) == []
    assert await reader.alerts(QUIET, START_MS, END_MS, 10) == []


@pytest.mark.parametrize("step_ms", [0, -60_000, 1000, 90_000])
async def test_a_step_must_be_whole_minutes(reader: HistoryReader, step_ms: int) -> None:
    with pytest.raises(QueryFailed, match="whole number of minutes"):
        await reader.views(NEWS, START_MS, END_MS, step_ms)


async def test_too_many_points_are_refused(reader: HistoryReader) -> None:
    with pytest.raises(QueryFailed, match="more than 10000"):
        await reader.growth(NEWS, START_MS, START_MS + 10_001 * 60_000, 60_000)
