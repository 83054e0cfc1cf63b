"""What every history store promises; run by tests/clickhouse on each implementation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from clickhouse.history import History, HistoryError, HistoryUnavailable, Insert, QueryFailed
from clickhouse.rows import ObservedRows
from clickhouse.upserts import DecidedRows
from streams.analytics import ActivityWindow
from streams.events import CountersSampled, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.units import HOUR_MS

DUROV = ChannelId(1_006_503_122)
NOON_MS = 1_750_248_000_000
DAY = {"channel_id": DUROV, "from_ms": NOON_MS - 12 * HOUR_MS, "to_ms": NOON_MS + 12 * HOUR_MS}
HOSTILE = 'it\'s \\ "quoted" \n\t\0 {x:String} %(s)s ; -- 👍\u202e'

Opener = Callable[[], Awaitable[History]]


def posts(*posts: Post, at_ms: int = NOON_MS) -> list[Insert]:
    rows = ObservedRows()
    rows.take(PostsSeen(channel_id=DUROV, observed_at_ms=at_ms, posts=list(posts)))
    return list(rows.inserts("posts"))


def counters(token: str, at_ms: int, *views: int | None) -> list[Insert]:
    rows = ObservedRows()
    post_ids = [PostId(number + 1) for number in range(len(views))]
    rows.take(
        CountersSampled(
            channel_id=DUROV, observed_at_ms=at_ms, post_ids=post_ids, views=list(views)
        )
    )
    return list(rows.inserts(token))


def window(token: str, minute: int, gained: int, *, closed: bool = True) -> list[Insert]:
    rows = DecidedRows()
    start_ms = NOON_MS + minute * 60_000
    rows.take(
        ActivityWindow(
            channel_id=DUROV,
            observed_at_ms=start_ms,
            start_ms=start_ms,
            views_gained=gained,
            closed=closed,
        )
    )
    return list(rows.inserts(token, 1))


async def store(history: History, *inserts: list[Insert]) -> None:
    for together in inserts:
        for insert in together:
            await history.insert(insert)


async def gained(history: History, resolution: str) -> Any:
    answer = await history.ask(f"views_{resolution}", {**DAY, "step_ms": 24 * HOUR_MS})
    return [row["views"] for row in answer.rows]


class HistoryLaws:
    """Subclasses give `opener`: each call opens the same, at first empty, history once more."""

    @pytest.fixture
    async def history(self, opener: Opener) -> AsyncIterator[History]:
        history = await opener()
        await history.migrate()
        yield history
        await history.close()

    async def test_migrations_are_applied_once(self, opener: Opener) -> None:
        history = await opener()
        applied = await history.migrate()
        assert applied == sorted(applied)
        assert applied
        assert await history.migrate() == []
        await history.close()

    async def test_what_is_inserted_is_found_by_who_opens_later(
        self, history: History, opener: Opener
    ) -> None:
        await store(history, posts(Post(PostId(1), NOON_MS, "first")))
        later = await opener()
        assert await later.migrate() == []
        [row] = (await later.ask("post_date", {"channel_id": DUROV, "post_id": 1})).rows
        assert row["date_ms"] == NOON_MS
        await later.close()

    async def test_nothing_stored_is_an_empty_answer(self, history: History) -> None:
        answer = await history.ask("post_date", {"channel_id": DUROV, "post_id": 1})
        assert answer.rows == []

    async def test_a_token_stores_its_rows_once(self, history: History) -> None:
        for _ in range(3):
            await store(history, window("a", 0, 10))
        for resolution in ("minutes", "hourly", "daily"):
            assert await gained(history, resolution) == [10], resolution

    async def test_a_token_stores_once_after_opening_again(
        self, history: History, opener: Opener
    ) -> None:
        await store(history, window("a", 0, 10))
        later = await opener()
        await store(later, window("a", 0, 10))
        assert await gained(later, "hourly") == [10]
        await later.close()

    async def test_a_large_insertion_is_stored_whole(self, history: History) -> None:
        """Clients and servers cut what is large into blocks, and a token is told of each block."""
        asked = (1, 40_000, 100_000)
        await store(
            history,
            posts(*(Post(PostId(number), NOON_MS) for number in asked)),
            counters("a", NOON_MS + HOUR_MS, *range(1, asked[-1] + 1)),
        )
        for number in asked:
            curve = await history.ask("curve", {"channel_id": DUROV, "post_ids": [number]})
            assert [row["views"] for row in curve.rows] == [number]

    async def test_equal_rows_under_two_tokens_are_both_rolled_up(self, history: History) -> None:
        await store(history, window("a", 0, 10), window("b", 1, 10))
        assert await gained(history, "hourly") == [20]

    async def test_running_windows_count_until_they_are_closed(self, history: History) -> None:
        await store(history, window("a", 0, 4, closed=False), window("b", 0, 7, closed=False))
        assert await gained(history, "daily") == [7]
        await store(history, window("c", 0, 9))
        for resolution in ("minutes", "hourly", "daily"):
            assert await gained(history, resolution) == [9], resolution

    async def test_samples_stored_twice_change_no_answer(self, history: History) -> None:
        await store(
            history,
            posts(Post(PostId(1), NOON_MS), Post(PostId(2), NOON_MS)),
            counters("a", NOON_MS + HOUR_MS, 5, None),
            counters("b", NOON_MS + HOUR_MS, 5, None),
        )
        [overview] = (await history.ask("overview", DAY)).rows
        assert (overview["posts"], overview["views_known"], overview["views"]) == (2, 1, 5)
        curve = await history.ask("curve", {"channel_id": DUROV, "post_ids": [1]})
        assert [row["views"] for row in curve.rows] == [5]

    async def test_what_is_not_known_stays_unknown(self, history: History) -> None:
        await store(
            history, posts(Post(PostId(1), NOON_MS)), counters("a", NOON_MS + HOUR_MS, None)
        )
        [overview] = (await history.ask("overview", DAY)).rows
        assert overview["views"] is None
        assert overview["forwards"] is None

    async def test_texts_come_back_as_they_went_in(self, history: History) -> None:
        await store(history, posts(Post(PostId(1), NOON_MS, HOSTILE)))
        parameters = {**DAY, "sort": "date", "after_place": 1e18, "after_post": 9, "limit": 5}
        [row] = (await history.ask("posts", parameters)).rows
        assert row["text"] == HOSTILE

    async def test_hostile_parameters_are_values(self, history: History) -> None:
        await store(history, posts(Post(PostId(1), NOON_MS)))
        answer = await history.ask("sources", {**DAY, "what": f"posts' OR '1'='1 {HOSTILE}"})
        assert answer.rows == []

    async def test_many_questions_at_once_get_their_own_answers(self, history: History) -> None:
        await store(
            history, posts(*(Post(PostId(number), NOON_MS + number) for number in range(1, 21)))
        )

        async def date_of(number: int) -> Any:
            answer = await history.ask("post_date", {"channel_id": DUROV, "post_id": number})
            return answer.rows[0]["date_ms"]

        dates = await asyncio.gather(*map(date_of, range(1, 21)))
        assert dates == [NOON_MS + number for number in range(1, 21)]

    async def test_questions_are_answered_while_rows_are_inserted(self, history: History) -> None:
        async def insert() -> None:
            for number in range(5):
                await store(history, window(str(number), number, 1))

        async def ask() -> list[Any]:
            return [await gained(history, "hourly") for _ in range(5)]

        _, answers = await asyncio.gather(insert(), ask())
        assert all(answer in ([], [1], [2], [3], [4], [5]) for answer in answers)
        assert await gained(history, "hourly") == [5]

    async def test_a_bad_question_fails_alone(self, history: History) -> None:
        with pytest.raises(QueryFailed):
            await history.ask("post_date", {"channel_id": "durov", "post_id": 1})
        assert (await history.ask("post_date", {"channel_id": DUROV, "post_id": 1})).rows == []

    async def test_an_insertion_that_cannot_work_is_not_called_passing(
        self, history: History
    ) -> None:
        with pytest.raises(HistoryError) as refused:
            await history.insert(Insert("no_such_table", "a", {"channel_id": [1]}))
        assert not isinstance(refused.value, HistoryUnavailable)
        await store(history, window("a", 0, 10))
        assert await gained(history, "minutes") == [10]

    async def test_a_question_given_up_does_no_harm(self, history: History) -> None:
        asked = asyncio.ensure_future(gained(history, "daily"))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert await gained(history, "daily") == []

    async def test_after_closing_nothing_works_and_closing_again_does(
        self, history: History
    ) -> None:
        await history.close()
        with pytest.raises(HistoryUnavailable):
            await gained(history, "daily")
        with pytest.raises(HistoryUnavailable):
            await store(history, window("a", 0, 10))
        await history.close()
