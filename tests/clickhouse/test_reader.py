"""The reader's answers over channels told by hand (tests/clickhouse/told.py)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.chdb import ChdbHistory, ChdbSettings
from clickhouse.evidence import Basis
from clickhouse.history import QueryFailed
from clickhouse.history_reader import HistoryReader
from clickhouse.reader import (
    Alert,
    Channel,
    CurvePoint,
    Evidence,
    GrowthPoint,
    Overview,
    ViewsPoint,
)
from clickhouse.records import OPENING, opening
from streams.cursor_text import InvalidCursor
from streams.ids import ChannelId, PostId, Username, parse_channel
from streams.units import DAY_MS, HOUR_MS
from tests.clickhouse.told import END_MS, NEWS, QUIET, START_MS, at, tell

#: Of a channel of which nothing at all is known in the range.
NOTHING = Overview(*[None] * len(Overview.__struct_fields__))
LIVE = ["telegram"]
UNKNOWN = Basis(0.0, 0, None)
#: The time between the samplings of 04:00:30 and 06:00:30: the first one of the day crosses
#: midnight, and nobody knows what was gained before it.
SAMPLED = 2 / 24


def evidence_of(**figures: Basis) -> dict[str, Basis]:
    """Of an overview; what is not named is unknown."""
    return {name: figures.get(name, UNKNOWN) for name in Overview.__struct_fields__}


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
    news = Channel(NEWS, "NewsNow", "News", 1100, at(-20), at(3), at(30), "live", LIVE)
    quiet = Channel(QUIET, None, None, 77, at(5), None, None, "recorded", ["recording"])
    assert await reader.channels() == [news, quiet]
    for reference in ("newsnow", "@NewsNow", str(NEWS), f"-100{NEWS}"):
        assert await reader.channel(parse_channel(reference)) == news
    assert await reader.channel(Username("nobody")) is None
    assert await reader.channel(ChannelId(12345)) is None


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
        er_by_views_percent=None,  # no sample tells all four
        posts_per_day=3.0,
        reach_1h=30.0,  # of post 1 at two ages, rather than of two posts at one
        reach_12h=99.0,
        reach_24h=None,
        reach_48h=None,
    )
    known = Basis(2 / 3, 2, at(6))
    read = Basis(1.0, 3, END_MS)
    reach = Basis(1 / 3, 1, at(4))
    assert evidence == Evidence(
        LIVE,
        evidence_of(
            subscribers=Basis(1.0, 2, at(8.5)),
            subscribers_change=Basis(8.5 / 24, 2, at(8.5)),
            posts=read,
            views=known,
            views_gained=Basis(SAMPLED, 3, at(6) + 30_000),
            forwards=known,
            replies=Basis(1 / 3, 1, at(6)),
            views_per_post_mean=known,
            views_per_post_median=known,
            err_percent=known,
            posts_per_day=read,
            reach_1h=reach,
            reach_12h=reach,
        ),
    )
    assert (evidence.coverage, evidence.as_of_ms) == (SAMPLED, END_MS)  # of what is known


async def test_overview_of_nothing_known(reader: HistoryReader) -> None:
    overview, evidence = await reader.overview(NEWS, at(-100), at(-50))
    assert overview == NOTHING
    assert evidence == Evidence([], evidence_of())
    assert (evidence.coverage, evidence.as_of_ms) == (0.0, None)


async def test_overview_of_a_single_subscriber_sample(reader: HistoryReader) -> None:
    overview, evidence = await reader.overview(QUIET, START_MS, END_MS)
    assert overview == msgspec.structs.replace(NOTHING, subscribers=77)
    assert evidence == Evidence(["recording"], evidence_of(subscribers=Basis(1.0, 1, at(5))))


async def test_views_by_hour_and_by_minutes_agree(reader: HistoryReader) -> None:
    hours, evidence = await reader.views(NEWS, START_MS, END_MS, HOUR_MS)
    assert len(hours) == 24
    # Of the segment from 04:01:30 to 06:00:30 nobody knows which part was gained in an hour.
    assert hours[4] == ViewsPoint(at(4), 120, None, None, None, 0, 1 / 60)
    assert hours[5] == ViewsPoint(at(5), None, None, None, None, 0, 0.0)
    assert hours[6] == ViewsPoint(at(6), 26, None, None, None, 0, 0.0)
    assert [point.posts for point in hours[:4]] == [0, 1, 1, 1]
    assert evidence == Evidence(
        LIVE,
        {
            "views_gained": Basis(SAMPLED, 3, at(6) + 30_000),
            "forwards_gained": UNKNOWN,
            "replies_gained": UNKNOWN,
            "reactions_gained": UNKNOWN,
            "posts": Basis(1.0, 3, END_MS),
        },
    )
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
        assert points[7] == GrowthPoint(at(7), None, None, 0.0)
        assert points[8] == GrowthPoint(at(8), 1004, 4, 0.5)
        assert evidence.figures["subscribers"] == Basis(1 / len(points), 1, at(8.5))
        assert evidence.sources == LIVE
    days, _ = await reader.growth(NEWS, START_MS - DAY_MS, END_MS + DAY_MS, DAY_MS)
    assert [(day.subscribers, day.change) for day in days] == [(1000, None), (1004, 4), (1100, 96)]


async def test_growth_counts_from_the_first_number_where_none_is_near(
    reader: HistoryReader,
) -> None:
    """The day from 20:00 on: the number of 30:00 is its only one, and that of 8:30 is near."""
    [day], evidence = await reader.growth(NEWS, at(20), at(44), DAY_MS)
    assert day == GrowthPoint(at(20), 1100, 96, 10 / 24)
    assert evidence.figures["change"] == Basis(10 / 24, 1, at(30))
    [alone], evidence = await reader.growth(NEWS, at(33), at(57), DAY_MS)
    assert (alone.subscribers, alone.change) == (None, None)
    assert evidence.coverage == 0.0


async def test_an_unknown_figure_does_not_lower_the_coverage_of_an_answer(
    reader: HistoryReader,
) -> None:
    [day], evidence = await reader.growth(QUIET, START_MS, END_MS, DAY_MS)
    assert (day.subscribers, day.change) == (77, None)
    assert evidence.figures == {"subscribers": Basis(1.0, 1, at(5)), "change": UNKNOWN}
    assert evidence.coverage == 1.0


async def test_posts_newest_first(reader: HistoryReader) -> None:
    page, evidence = await reader.posts(NEWS, START_MS, END_MS, "date", 10, None)
    assert [post.post_id for post in page.rows] == [6, 5, 2, 1]
    six, five, album, one = page.rows
    assert (six.views, six.velocity_per_h, six.er_by_views_percent) == (None, None, None)
    assert five.deleted
    assert (album.text, album.views, album.forwards, album.deleted) == ("album", 60, 1, False)
    assert album.velocity_per_h == 10.0  # (60 - 40) / 2 h
    assert (one.text, one.edited, one.url) == ("one, edited", True, "https://t.me/NewsNow/1")
    assert one.er_by_views_percent is None
    assert one.velocity_per_h == 5.0
    assert page.cursor is None
    assert evidence == Evidence(
        LIVE,
        {
            "views": Basis(3 / 4, 3, at(6)),
            "forwards": Basis(2 / 4, 2, at(6)),
            "replies": Basis(1 / 4, 1, at(6)),
            "reactions": UNKNOWN,
            "er_by_views_percent": UNKNOWN,
            "velocity_per_h": Basis(2 / 4, 2, at(6)),
            "posts": Basis(1.0, 4, END_MS),
        },
    )


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
    with pytest.raises(InvalidCursor, match=r"^invalid cursor$"):
        await reader.posts(NEWS, START_MS, END_MS, "date", 1, cursor)


async def test_a_cursor_of_another_sort_is_refused(reader: HistoryReader) -> None:
    page, _ = await reader.posts(NEWS, START_MS, END_MS, "views", 1, None)
    with pytest.raises(InvalidCursor, match="sorted by views"):
        await reader.posts(NEWS, START_MS, END_MS, "date", 1, page.cursor)
    with pytest.raises(QueryFailed, match="none of date"):
        await reader.posts(NEWS, START_MS, END_MS, "best", 1, None)


async def test_a_post_of_an_album_is_the_album(reader: HistoryReader) -> None:
    answer = await reader.post(NEWS, PostId(3))
    assert answer is not None
    post, evidence = answer
    assert (post.post_id, post.views, post.text) == (2, 60, "album")
    assert evidence.sources == LIVE
    assert evidence.figures["views"] == Basis(1.0, 1, at(6))
    assert evidence.figures["replies"] == UNKNOWN
    assert await reader.post(NEWS, PostId(99)) is None


async def test_curves(reader: HistoryReader) -> None:
    answer = await reader.curve(NEWS, PostId(1))
    assert answer is not None
    assert answer[0] == [
        CurvePoint(at(1), 0, 0, 0, None, None),
        CurvePoint(at(4), 10_800, 90, 3, None, None),
        CurvePoint(at(6), 18_000, 100, None, 5, None),
    ]
    assert answer[1] == Evidence(
        LIVE,
        {
            "views": Basis(1.0, 3, at(6)),
            "forwards": Basis(1.0, 2, at(4)),
            "replies": Basis(1.0, 1, at(6)),
            "reactions": UNKNOWN,
        },
    )
    unknown = dict.fromkeys(("views", "forwards", "replies", "reactions"), UNKNOWN)
    assert await reader.curve(NEWS, PostId(6)) == ([], Evidence([], unknown))
    assert await reader.curve(NEWS, PostId(99)) is None


async def test_alerts(reader: HistoryReader) -> None:
    alert = Alert(
        "spike-1", NEWS, "spike", "resolved", at(4), at(6), PostId(1), 120.0, 12.5, "median",
        "https://t.me/NewsNow/1", "one, edited",
    )  # fmt: skip
    watched = Evidence(LIVE, {"alerts": Basis(SAMPLED, 3, at(6) + 30_000)})
    assert await reader.alerts(None, START_MS, END_MS, 10) == ([alert], Evidence([], {}))
    assert await reader.alerts(NEWS, START_MS, END_MS, 10) == ([alert], watched)
    rows, evidence = await reader.alerts(QUIET, START_MS, END_MS, 10)
    assert (rows, evidence.coverage) == ([], 0.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two\nlines  of it", "two lines of it"),
        ("word " * 30, "word " * 19 + "word…"),
        ("a" * 101, "a" * 99 + "…"),
        ("a" * 100, "a" * 100),
    ],
)
def test_the_first_words_of_a_post(text: str, expected: str) -> None:
    assert opening(text) == expected
    assert len(opening(text)) <= OPENING


@pytest.mark.parametrize("step_ms", [0, -60_000, 1000, 90_000])
async def test_a_step_must_be_whole_minutes(reader: HistoryReader, step_ms: int) -> None:
    with pytest.raises(QueryFailed, match="whole number of minutes"):
        await reader.views(NEWS, START_MS, END_MS, step_ms)


async def test_too_many_points_are_refused(reader: HistoryReader) -> None:
    with pytest.raises(QueryFailed, match="more than 10000"):
        await reader.growth(NEWS, START_MS, START_MS + 10_001 * 60_000, 60_000)
