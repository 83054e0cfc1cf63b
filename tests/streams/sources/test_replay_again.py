"""A replay that was killed goes on where it was; one that was finished writes nothing."""

import random
import sys
from asyncio import create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import zstandard

from streams.embedded.log import EmbeddedLog
from streams.events import PostsSeen
from streams.log import Draft
from streams.metrics import Metrics
from streams.partitioner import partition_of
from streams.publisher import Publisher
from streams.recording import Recording
from streams.sources.recorded_events import events_of
from streams.sources.replay import CHUNK, Replayed, identity_of, replay
from streams.sources.replay_mark import MARK_EVERY, NUMBER, RECORDING
from streams.topics import UPDATES
from tests.streams.sources.test_replay import record, stored

MESSAGES = 6 * CHUNK + 123
CHANNELS = 7


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    folder = tmp_path / "recording"
    folder.mkdir()
    return record(folder, [n * 7 % 40_000 for n in range(MESSAGES)], CHANNELS)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await opened(tmp_path)
    yield log
    await log.close()


async def opened(tmp_path: Path) -> EmbeddedLog:
    log = await EmbeddedLog.open(tmp_path / "log")
    await log.create(UPDATES, 4)
    return log


async def replayed(recording: Recording, log: EmbeddedLog) -> Replayed:
    async with Publisher(log, Metrics()) as publisher:
        return await replay(recording, log, publisher)


async def assert_all_once_and_in_order(recording: Recording, log: EmbeddedLog) -> None:
    found = [event for event in await stored(log) if event.source == "recording"]
    assert len(found) == MESSAGES
    for channel_id in range(1, CHANNELS + 1):
        mine = [event for event in found if event.channel_id == channel_id]
        assert mine == [e for e in events_of(recording) if e.channel_id == channel_id]


class Stopped(Exception): ...


async def replay_until(messages: int, recording: Recording, log: EmbeddedLog) -> None:
    """A replay that ends when so many are acknowledged."""

    def stop(so_far: Replayed) -> None:
        if so_far.messages >= messages:
            raise Stopped

    async with Publisher(log, Metrics()) as publisher:
        with pytest.raises(Stopped):
            await replay(recording, log, publisher, progress=stop)


async def test_a_finished_replay_writes_nothing_again(
    recording: Recording, log: EmbeddedLog
) -> None:
    first = await replayed(recording, log)
    assert (first.messages, first.already) == (MESSAGES, 0)
    bounds = await log.bounds(UPDATES.name)
    again = await replayed(recording, log)
    assert (again.messages, again.messages_total, again.already) == (MESSAGES,) * 3
    assert again.rows == first.rows
    assert await log.bounds(UPDATES.name) == bounds
    await assert_all_once_and_in_order(recording, log)


@pytest.mark.parametrize("messages", [CHUNK, 2 * CHUNK, 5 * CHUNK, MESSAGES])
async def test_it_goes_on_after_what_is_there(
    recording: Recording, log: EmbeddedLog, messages: int
) -> None:
    await replay_until(messages, recording, log)
    done = await replayed(recording, log)
    assert (done.messages, done.already) == (MESSAGES, messages)
    await assert_all_once_and_in_order(recording, log)


async def test_nothing_but_the_end_is_searched(recording: Recording, log: EmbeddedLog) -> None:
    await replayed(recording, log)
    [group] = [group for group in log._engine.commits if group.startswith("replay:")]
    marks, bounds = await log.committed(group), await log.bounds(UPDATES.name)
    after = sum(bounds[partition].next - offset for partition, offset in marks.items())
    assert MARK_EVERY < after <= CHUNK + 3 * MARK_EVERY


async def test_what_others_write_in_between_is_left_alone(
    recording: Recording, log: EmbeddedLog, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    others = record(other, list(range(CHUNK)), CHANNELS)
    async with Publisher(log, Metrics()) as publisher:
        for stop in (CHUNK, 3 * CHUNK):
            await publisher.publish(PostsSeen(channel_id=3, observed_at_ms=1, posts=[]))
            await replay_until(stop, recording, log)
    assert (await replayed(others, log)).already == 0
    assert (await replayed(recording, log)).already == 3 * CHUNK
    found = await stored(log)
    assert len(found) == MESSAGES + CHUNK + 2


@pytest.mark.parametrize("key", [b"1", b"2", b"3"])
async def test_a_partition_whose_end_was_lost_is_completed(
    recording: Recording, log: EmbeddedLog, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a power cut: the last write of one partition could not be read and was cut off."""
    append, lost = log.append, partition_of(key, 4)

    async def append_the_rest(drafts: Sequence[Draft]) -> object:
        return await append([one for one in drafts if partition_of(one.key, 4) != lost])

    await replay_until(2 * CHUNK, recording, log)
    with monkeypatch.context() as patch:
        patch.setattr(log, "append", append_the_rest)
        await replay_until(3 * CHUNK, recording, log)
    done = await replayed(recording, log)
    assert 2 * CHUNK < done.already < 3 * CHUNK
    await assert_all_once_and_in_order(recording, log)


async def test_messages_carry_recording_and_number(recording: Recording, log: EmbeddedLog) -> None:
    await replayed(recording, log)
    numbers, identities = [], set()
    for partition, bounds in (await log.bounds(UPDATES.name)).items():
        for one in await log.read(partition, bounds.first, 1 << 20):
            numbers.append(int(one.headers[NUMBER]))
            identities.add(one.headers[RECORDING])
    assert sorted(numbers) == list(range(MESSAGES))
    assert len(identities) == 1


async def kills_until_done(recording: Recording, folder: Path, chance: random.Random) -> int:
    """How often a replay was killed before one got to its end."""
    for kills in range(20):
        chunks, after_ms = chance.choice((0, 1, 1, 1)), chance.uniform(0, 2)
        process = await create_subprocess_exec(
            sys.executable,
            *("-m", "tests.streams.sources.replay_child"),
            *(str(recording.folder), str(folder), str(chunks), str(after_ms)),
        )
        if (code := await process.wait()) == 0:
            return kills
        assert code == 9
    return 20


async def test_killed_again_and_again(recording: Recording, tmp_path: Path) -> None:
    chance, kills = random.Random(5), 0
    for run in range(10):
        kills += await kills_until_done(recording, tmp_path / f"{run}" / "log", chance)
        log = await opened(tmp_path / f"{run}")
        await replayed(recording, log)
        await assert_all_once_and_in_order(recording, log)
        assert (await replayed(recording, log)).already == MESSAGES
        await log.close()
        if kills >= 8:
            break
    assert kills >= 8


def test_identity_is_of_what_is_recorded_and_not_of_how_it_lies_on_disk(
    recording: Recording, tmp_path: Path
) -> None:
    before = identity_of(events_of(recording))
    elsewhere = recording.folder.rename(tmp_path / "elsewhere")
    posts = elsewhere / "posts.jsonl"
    with posts.open("a") as file:
        file.write("\n")
    (elsewhere / "posts.jsonl.zst").write_bytes(zstandard.compress(posts.read_bytes()))
    posts.unlink()
    assert identity_of(events_of(Recording(elsewhere))) == before
    (elsewhere / "posts.jsonl.zst").unlink()
    longer = record(elsewhere, [*(n * 7 % 40_000 for n in range(MESSAGES)), 1], CHANNELS)
    assert identity_of(events_of(longer)) != before
