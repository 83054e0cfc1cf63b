"""A recording into the log: all of it, in order, at a pace, with progress."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.codec import decode_event
from streams.embedded.log import EmbeddedLog
from streams.events import Event
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.recording import Recording
from streams.sources.recorded_events import events_of
from streams.sources.replay import CHUNK, replay
from streams.topics import UPDATES
from tests.streams.sources.manual_clock import ManualClock


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await EmbeddedLog.open(tmp_path / "log")
    await log.create(UPDATES, 4)
    yield log
    await log.close()


@pytest.fixture
async def publisher(log: EmbeddedLog) -> AsyncIterator[Publisher]:
    async with Publisher(log, Metrics()) as publisher:
        yield publisher


async def stored(log: EmbeddedLog) -> list[Event]:
    """What is in the log, partition by partition."""
    found = []
    for partition, bounds in (await log.bounds(UPDATES.name)).items():
        records = await log.read(partition, bounds.first, 1 << 20)
        found += [decode_event(record.value or b"") for record in records]
    return found


def record(folder: Path, minutes: list[int], channels: int = 3) -> Recording:
    rows = [
        {
            "channel": f"id{n % channels + 1}",
            "message_id": n + 1,
            "date": f"2025-01-{minute // 1440 + 1:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z",
        }
        for n, minute in enumerate(minutes)
    ]
    (folder / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Recording(folder)


async def test_all_of_it_in_order(tmp_path: Path, log: EmbeddedLog, publisher: Publisher) -> None:
    recording = record(tmp_path, [n * 7 % 5000 for n in range(2 * CHUNK + 1)])
    steps: list[int] = []
    done = await replay(recording, log, publisher, progress=lambda now: steps.append(now.messages))
    assert (done.messages, done.messages_total, done.rows.posts) == (1001, 1001, 1001)
    assert steps == [CHUNK, 2 * CHUNK, 2 * CHUNK + 1]
    found = await stored(log)
    for channel_id in (1, 2, 3):
        mine = [event for event in found if event.channel_id == channel_id]
        expected = [event for event in events_of(recording) if event.channel_id == channel_id]
        assert mine == expected


async def test_an_empty_recording_ends_at_once(
    tmp_path: Path, log: EmbeddedLog, publisher: Publisher
) -> None:
    done = await replay(record(tmp_path, []), log, publisher, speed=2)
    assert (done.messages, done.observed_at_ms) == (0, None)


async def test_paced_by_the_observed_time(
    tmp_path: Path, log: EmbeddedLog, publisher: Publisher
) -> None:
    recording = record(tmp_path, [0, 0, 10, 20])
    clock, reached = ManualClock(0), asyncio.Queue[int]()
    task = asyncio.create_task(
        replay(
            recording,
            log,
            publisher,
            speed=60,
            clock=clock,
            progress=lambda now: reached.put_nowait(now.messages),
        )
    )
    assert await reached.get() == 2
    for messages in (3, 4):
        clock.advance(9_999)  # ten minutes are ten seconds
        await asyncio.sleep(0)
        assert reached.empty()
        clock.advance(1)
        if messages < 4:
            assert await reached.get() == messages
    assert (await task).messages == 4
    assert len(await stored(log)) == 4
