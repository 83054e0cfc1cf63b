"""Kills with -9 at random points: what has keys of its own, and several topics, counts once."""

import asyncio
import random
from collections import Counter
from pathlib import Path

from agents.updates.check import read_event
from streams import topics
from streams.analytics import ActivityWindow, Alert, ChannelSummary
from streams.codec import decode_analytics
from streams.events import Event, PostsSeen
from streams.topics import AGENTS, repartition_of
from tables.rows import RowDecoder
from tests.agents.proofs import JOINED, WORDS, Joined, Word, words_of
from tests.agents.test_kill import put
from tests.agents.victim import KILLED, kill_after, run_victim
from tests.agents.working import Working, drafts_of, recorded_events, records, upserts, working

KILLS = 6
PROOFS = (WORDS, JOINED)


def work_until_killed(folder: Path, messages: int, delay_ms: float) -> None:
    asyncio.run(_work(folder, messages, delay_ms))


async def _work(folder: Path, messages: int, delay_ms: float) -> None:
    async with working(folder, more=PROOFS) as work:
        kill_after(work, messages, delay_ms)
        await asyncio.Event().wait()


async def test_kills_leave_every_word_counted_once(tmp_path: Path) -> None:
    drafts = drafts_of(recorded_events())[:1200]
    chance = random.Random(6)
    part = len(drafts) // KILLS
    for turn in range(KILLS):
        await put(tmp_path, drafts[turn * part : (turn + 1) * part])
        messages, delay_ms = chance.randint(1, part), chance.uniform(0, 30)
        assert run_victim(tmp_path, messages, delay_ms, work_until_killed) == KILLED
    async with working(tmp_path, more=PROOFS) as work:
        await work.settled()
        await check(work)


async def check(work: Working) -> None:
    """Against the messages as they lie in the log, each once."""
    seen: list[Event] = [
        read_event(record.value or b"").event
        for record in await records(work.log, topics.UPDATES.name)
    ]
    decided = [
        decode_analytics(record.value or b"")
        for record in await records(work.log, topics.WINDOWS.name)
    ]
    posts = [event for event in seen if isinstance(event, PostsSeen)]
    titles = [message for message in decided if isinstance(message, ChannelSummary)]
    forwarded = await records(work.log, repartition_of(AGENTS, "words").name)
    expected = Counter(word for message in (*posts, *titles) for word in {*words_of(message)})
    assert Counter(record.key for record in forwarded) == expected
    assert len(expected) > 40

    words = {key: RowDecoder(Word)(data) for key, data in work.app.tables["words"].data.items()}
    assert words.keys() == expected.keys()
    for key, row in words.items():
        used = Counter(
            event.channel_id
            for event in posts
            for post in event.posts
            if key
            in words_of(PostsSeen(channel_id=event.channel_id, observed_at_ms=0, posts=[post]))
        )
        assert row.posts == used
        assert row.titles == sorted({each.channel_id for each in titles if key in words_of(each)})

    joined = {int(k): RowDecoder(Joined)(d) for k, d in work.app.tables["joined"].data.items()}
    closed = Counter(
        message.channel_id
        for message in decided
        if isinstance(message, ActivityWindow) and message.closed
    )
    assert {channel: row.windows for channel, row in joined.items()} == {
        channel: closed[channel] for channel in joined
    }
    published = Counter(event.channel_id for event in posts for _ in event.posts)
    assert {channel: row.posts for channel, row in joined.items()} == {
        channel: published[channel] for channel in joined
    }
    alerts = [each for each in (await upserts(work.log)).values() if isinstance(each, Alert)]
    told = {alert.alert_id: alert.observed for alert in alerts if alert.type == "proof"}
    assert told == {
        **{f"joined/{channel}": row.posts for channel, row in joined.items()},
        **{
            f"word/{key.decode()}/{channel}": row.posts.get(channel, 0)
            for key, row in words.items()
            for channel in {*row.posts, *row.titles}
        },
    }
