"""What of a replay has arrived, asked of a real log (of history: tests/clickhouse)."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from agents.engine.dead import dead_headers
from analyticbot.arrival import arrival
from streams.codec import encode
from streams.embedded.log import EmbeddedLog
from streams.events import CountersSampled, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.log import Draft
from streams.metrics import Metrics
from streams.sources.replay import Replayed, Rows
from streams.sources.replay_mark import RECORDING
from streams.topics import UPDATES

T = 1_735_689_600_000
ONE = ChannelId(1)


def seen(channel_id: ChannelId, *numbers: int) -> PostsSeen:
    posts = [Post(PostId(n), T) for n in numbers]
    return PostsSeen(channel_id=channel_id, observed_at_ms=T, posts=posts)


def of(*events: PostsSeen | CountersSampled) -> Replayed:
    replayed = Replayed(len(events), "ours")
    for event in events:
        replayed.count(event)
    return replayed


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await EmbeddedLog.open(tmp_path / "log")
    yield log
    await log.close()


def dead(event: PostsSeen | bytes, recording: bytes) -> Draft:
    value = event if isinstance(event, bytes) else encode(event)
    headers = {**dead_headers("future_date", "", UPDATES.name, 0, 0), RECORDING: recording}
    return Draft(UPDATES.dead, b"1", value, T, headers)


async def test_what_was_put_aside_has_not_arrived(log: EmbeddedLog) -> None:
    await log.create(msgspec.structs.replace(UPDATES, name=UPDATES.dead), 2)
    others = [dead(seen(ONE, 1), b"another's"), Draft(UPDATES.dead, b"1", b"?", T)]
    await log.append([dead(seen(ONE, 2), b"ours"), dead(b"?", b"ours"), *others])
    arrived = await arrival(of(seen(ONE, 1, 2, 3)), log, None, None)
    assert arrived.rows == Rows(posts=2, post_ids={ONE: {PostId(1), PostId(3)}})
    assert arrived.dead == {"future_date": 2}
    assert arrived.missing_posts is None


async def test_without_dead_letters_all_has_arrived(log: EmbeddedLog) -> None:
    sampled = CountersSampled(channel_id=ONE, observed_at_ms=T, post_ids=[PostId(1)], views=[5])
    metrics = Metrics()
    metrics.dropped("updates", "late_message", 3)
    metrics.dropped("updates", "late_sample", 2)
    arrived = await arrival(of(seen(ONE, 1, 2), sampled), log, None, metrics)
    assert (arrived.rows.posts, arrived.rows.samples, arrived.dead) == (2, 1, {})
    assert (arrived.late_messages, arrived.late_samples) == (3, 2)
