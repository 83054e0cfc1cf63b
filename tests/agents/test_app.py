"""The pipeline in the real Faust, on the embedded log."""

from pathlib import Path

import pytest

from agents.engine.dead import DeadLimit, TooManyDead
from agents.updates.buckets import KEEP_WEEKS
from streams import topics
from streams.analytics import ActivityWindow, ChannelSummary
from streams.codec import encode
from streams.events import CountersSampled, Event, Post, PostsSeen, SubscribersSampled
from streams.ids import MARK, ChannelId, PostId
from streams.log import Draft, LogFull
from streams.topics import channel_key
from streams.units import WEEK_MS
from tests.agents.working import (
    append,
    drafts_of,
    expected,
    recorded_events,
    records,
    rows,
    upserts,
    working,
)

T = 1_700_000_040_000
CHANNEL = ChannelId(42)
ONE = PostId(1)


def _draft(value: bytes | None, key: bytes = channel_key(CHANNEL)) -> Draft:
    return Draft(topics.UPDATES.name, key, value, T, {"trace": b"7"})


def _subscribers(count: int, channel_id: int = CHANNEL, at_ms: int = T) -> Event:
    return SubscribersSampled(
        channel_id=ChannelId(channel_id), observed_at_ms=at_ms, subscribers=count
    )


async def test_a_recording_becomes_what_the_pure_steps_say(tmp_path: Path) -> None:
    async with working(tmp_path) as work:
        await append(work.log, drafts_of(recorded_events()))
        await work.settled()
        pure = await expected(work.log)
        assert await upserts(work.log) == pure.upserts
        assert rows(work.app) == pure.rows()
        assert work.counted("received", stage="updates") == len(recorded_events())


async def test_state_comes_back_after_an_orderly_restart(tmp_path: Path) -> None:
    drafts = drafts_of(recorded_events()[:1200])
    async with working(tmp_path) as work:
        await append(work.log, drafts[:700])
        await work.settled()
    async with working(tmp_path) as work:
        await append(work.log, drafts[700:])
        await work.settled()
        pure = await expected(work.log)
        assert await upserts(work.log) == pure.upserts
        assert rows(work.app) == pure.rows()
        assert work.counted("received", stage="updates") == 500


BAD = {
    b"\xc1": "broken_bytes",
    b"": "broken_bytes",
    encode(_subscribers(1)).replace(b"\xa1v\x01", b"\xa1v\x63"): "unknown_version",
    encode(_subscribers(-1)): "negative_counter",
    encode(_subscribers(1, channel_id=0)): "wrong_channel",
    encode(
        PostsSeen(channel_id=CHANNEL, observed_at_ms=T, posts=[Post(ONE, T + 300_001)])
    ): "future_date",
    encode(
        CountersSampled(channel_id=CHANNEL, observed_at_ms=T, post_ids=[ONE], views=[])
    ): "uneven_columns",
}


async def test_dead_letters_keep_bytes_headers_reason_and_position(tmp_path: Path) -> None:
    async with working(tmp_path) as work:
        places = await work.log.append([_draft(value) for value in BAD])
        await append(work.log, [_draft(encode(_subscribers(5)))])
        await work.settled()
        dead = await records(work.log, topics.UPDATES.dead)
        assert {record.value: record.headers["reason"].decode() for record in dead} == BAD
        for record, (partition, offset) in zip(dead, places, strict=True):
            assert record.key == channel_key(CHANNEL)
            assert record.headers["trace"] == b"7"
            assert record.headers["topic"] == topics.UPDATES.name.encode()
            assert record.headers["partition"] == b"%d" % partition.number
            assert record.headers["offset"] == b"%d" % offset
        for reason in set(BAD.values()):
            amount = list(BAD.values()).count(reason)
            assert work.counted("dropped", stage="updates", reason=reason) == amount
        (summary,) = [
            message
            for message in (await upserts(work.log)).values()
            if isinstance(message, ChannelSummary)
        ]
        assert summary.subscribers == 5


async def test_the_time_of_a_batch_is_taken_once(tmp_path: Path) -> None:
    async with working(tmp_path) as work:
        # What is appended at once, under one key, is one batch.
        await append(work.log, drafts_of([_subscribers(n, at_ms=T + n) for n in range(40)]))
        await work.settled()
        taken = work.metrics.registry.get_sample_value(
            "analyticbot_stage_seconds_count", {"stage": "updates"}
        )
        assert taken == 1


async def test_a_message_without_a_value_is_a_dead_letter(tmp_path: Path) -> None:
    async with working(tmp_path) as work:
        await append(work.log, [_draft(None)])
        await work.settled()
        (dead,) = await records(work.log, topics.UPDATES.dead)
        assert (dead.value, dead.headers["reason"]) == (None, b"broken_bytes")


async def test_a_bad_window_is_a_dead_letter_of_its_own_topic(tmp_path: Path) -> None:
    async with working(tmp_path) as work:
        await append(work.log, [Draft(topics.WINDOWS.name, b"42", b"\xc1", T)])
        await work.settled()
        (dead,) = await records(work.log, topics.WINDOWS.dead)
        assert dead.value == b"\xc1"


@pytest.mark.parametrize("key", [b"-1000000000042", b"@name", b""])
async def test_any_spelling_of_a_channel_reaches_its_one_row(tmp_path: Path, key: bytes) -> None:
    async with working(tmp_path) as work:
        await append(
            work.log,
            [
                _draft(encode(_subscribers(5))),
                _draft(encode(_subscribers(7, -MARK - CHANNEL, T + 1)), key),
                _draft(encode(_subscribers(9, -MARK - CHANNEL, T + 2))),
            ],
        )
        await work.settled()
        assert set(rows(work.app)) == {"channel 42"}
        assert work.counted("dropped", stage="updates", reason="respelled") == 1
        (summary,) = [
            message
            for message in (await upserts(work.log)).values()
            if isinstance(message, ChannelSummary)
        ]
        assert (summary.channel_id, summary.subscribers) == (CHANNEL, 9)


async def test_too_many_dead_letters_stop_the_worker_and_empty_nothing(tmp_path: Path) -> None:
    limit = DeadLimit(window=20, least=5)
    async with working(tmp_path, limit=limit) as work:
        await append(work.log, [_draft(b"\xc1")] * 50)
        error = await work.failed()
        assert isinstance(error, TooManyDead)
        assert "5 of the last 5 messages of telegram.updates" in str(error)
    async with working(tmp_path, limit=limit) as work:
        await work.failed()
        assert len(await records(work.log, topics.UPDATES.dead)) < 5
        committed = await work.log.committed("analyticbot")
        assert sum(committed.values()) < 5


async def test_after_too_many_dead_letters_it_goes_on_once_the_operator_has_decided(
    tmp_path: Path,
) -> None:
    limit = DeadLimit(window=20, least=5)
    async with working(tmp_path, limit=limit) as work:
        await append(work.log, [_draft(b"\xc1")] * 50)
        assert isinstance(await work.failed(), TooManyDead)
    async with working(tmp_path, limit=DeadLimit(window=20, least=5, share=1)) as work:
        await work.settled()
        assert len(await records(work.log, topics.UPDATES.dead)) == 50
    async with working(tmp_path, limit=limit) as work:
        await append(work.log, [_draft(encode(_subscribers(5)))])
        await work.settled()
        assert set(rows(work.app)) == {"channel 42"}


async def test_what_an_input_did_wrong_stops_nothing(tmp_path: Path) -> None:
    async with working(tmp_path, limit=DeadLimit(window=20, least=5)) as work:
        await append(work.log, drafts_of([_subscribers(-1, at_ms=T + n) for n in range(50)]))
        await append(work.log, drafts_of([_subscribers(5, at_ms=T + 50)]))
        await work.settled()
        assert len(await records(work.log, topics.UPDATES.dead)) == 50
        assert set(rows(work.app)) == {"channel 42"}


async def test_an_unknown_error_stops_before_its_message_is_acknowledged(tmp_path: Path) -> None:
    views = [
        CountersSampled(channel_id=CHANNEL, observed_at_ms=T + n, post_ids=[ONE], views=[n])
        for n in range(3)
    ]
    async with working(tmp_path) as work:
        await append(work.log, drafts_of(views[:2]))
        await work.settled()
        work.app.tables["posts"].data[b"42/1"] = b"no row"
        bad = CountersSampled(
            channel_id=CHANNEL, observed_at_ms=T + 9, post_ids=[PostId(64)], views=[1]
        )
        await append(work.log, drafts_of([bad, views[2]]))
        error = await work.failed()
        assert type(error).__name__ == "UnknownRow"
    async with working(tmp_path) as work:
        await work.settled()
        pure = await expected(work.log)
        assert rows(work.app) == pure.rows()
        assert await upserts(work.log) == pure.upserts
        window = [w for w in pure.upserts.values() if isinstance(w, ActivityWindow)]
        assert [w.views_gained for w in window] == [2]


async def test_posts_not_touched_for_90_days_leave_a_tombstone_and_stay_away(
    tmp_path: Path,
) -> None:
    def sampled(post_id: int, at_ms: int) -> Event:
        ids = [PostId(post_id)]
        return CountersSampled(channel_id=CHANNEL, observed_at_ms=at_ms, post_ids=ids, views=[1])

    late_ms = T + (KEEP_WEEKS + 2) * WEEK_MS
    async with working(tmp_path) as work:
        await append(work.log, drafts_of([sampled(1, T), sampled(64, T)]))
        await work.settled()
        assert set(rows(work.app)) == {"channel 42", "posts 42/0", "posts 42/1"}
        await append(work.log, drafts_of([sampled(64, late_ms)]))
        await work.settled()
        assert set(rows(work.app)) == {"channel 42", "posts 42/1"}
        changes = await records(work.log, "analyticbot-posts-changelog")
        assert [change.value for change in changes if change.key == b"42/0"][-1] is None
    async with working(tmp_path) as work:
        await append(work.log, drafts_of([sampled(64, late_ms + 1)]))
        await work.settled()
        assert set(rows(work.app)) == {"channel 42", "posts 42/1"}


async def test_a_log_that_fails_is_told_as_what_the_pipeline_cannot_go_on_from(
    tmp_path: Path,
) -> None:
    async with working(tmp_path) as work:
        await append(work.log, drafts_of([_subscribers(5)]))
        await work.settled()
        work.log._engine._on_failed(LogFull("no space is left"), [])
        assert str(await work.failed()) == "no space is left"
