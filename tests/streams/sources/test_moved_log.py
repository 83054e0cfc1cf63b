"""The observations of one log moved into another, on real logs."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from streams.embedded.log import EmbeddedLog
from streams.ids import ChannelId
from streams.kafka.log import KafkaLog
from streams.kafka.settings import settings_of
from streams.log import Draft, Log, LogUnavailable, Partition, Record
from streams.sources.moved_log import CHUNK, Moved, move
from streams.topics import UPDATES, channel_key
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.streams.kafka.prefixed import Prefixed

CHANNELS = [ChannelId(number) for number in range(1, 8)]
COUNT = 3 * CHUNK


def draft(number: int) -> Draft:
    key = channel_key(CHANNELS[number * 5 % len(CHANNELS)])
    return Draft(UPDATES.name, key, b"%d" % number, 1_000 + number, {"traceparent": b"one"})


async def opened(folder: Path, partitions: int) -> EmbeddedLog:
    log = await EmbeddedLog.open(folder)
    await log.create(UPDATES, partitions)
    return log


async def records(log: Log) -> list[Record]:
    found: list[Record] = []
    for partition, bounds in (await log.bounds(UPDATES.name)).items():
        offset = bounds.first
        while offset < bounds.next:
            found += (more := await log.read(partition, offset, 10_000))
            offset = more[-1].offset + 1
    return found


def by_channel(found: Sequence[Record]) -> dict[bytes, list[tuple[bytes | None, int, bytes]]]:
    """What each channel's reader sees, in its order."""
    seen: dict[bytes, list[tuple[bytes | None, int, bytes]]] = defaultdict(list)
    for one in found:
        assert one.key is not None
        seen[one.key].append((one.value, one.timestamp_ms, one.headers["traceparent"]))
    return seen


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await opened(tmp_path / "source", 4)
    for start in range(0, COUNT, 250):
        await log.append([draft(number) for number in range(start, start + 250)])
    yield log
    await log.close()


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await opened(tmp_path / "target", 3)
    yield log
    await log.close()


class Breaking:
    """The target that stops to answer after some appends; everything else is the log's."""

    def __init__(self, log: Log, appends: int) -> None:
        self._log = log
        self._appends = appends

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, drafts: Sequence[Draft]) -> Sequence[tuple[Partition, int]]:
        if not self._appends:
            raise LogUnavailable("away")
        self._appends -= 1
        return await self._log.append(drafts)


async def test_every_message_once_in_the_order_of_its_channel(
    source: EmbeddedLog, target: EmbeddedLog
) -> None:
    told: list[int] = []
    moved = await move(source, target, "one", lambda so_far: told.append(so_far.messages))
    assert moved == Moved(COUNT, COUNT, 0)
    assert told[-1] == COUNT
    assert sorted(told) == told
    assert by_channel(await records(target)) == by_channel(await records(source))
    appended = {one.value: one.appended_ms for one in await records(source)}
    assert {one.value: one.first_appended_ms for one in await records(target)} == appended


@pytest.mark.parametrize("appends", [0, 1, 3])
async def test_what_stopped_goes_on_where_it_was(
    source: EmbeddedLog, target: EmbeddedLog, appends: int
) -> None:
    with pytest.raises(LogUnavailable):
        await move(source, Breaking(target, appends), "one")  # type: ignore[arg-type]
    there = len(await records(target))
    assert (there > 0) == (appends > 0)
    moved = await move(source, target, "one")
    assert moved == Moved(COUNT, COUNT, there)
    assert by_channel(await records(target)) == by_channel(await records(source))


async def test_moving_again_writes_nothing(source: EmbeddedLog, target: EmbeddedLog) -> None:
    await move(source, target, "one")
    before = await records(target)
    assert (await move(source, target, "one")).already == COUNT
    assert await records(target) == before


async def test_an_empty_log_has_nothing_to_move(target: EmbeddedLog, tmp_path: Path) -> None:
    empty = await opened(tmp_path / "empty", 2)
    assert await move(empty, target, "one") == Moved(0)
    await empty.close()


async def test_from_one_machine_to_kafka(source: EmbeddedLog, kafka: Cluster | Running) -> None:
    log = await KafkaLog.open(settings_of(kafka.url))
    target = Prefixed(log, f"{unique('move')}-")
    try:
        await target.create(UPDATES, 8)
        assert await move(source, target, "one") == Moved(COUNT, COUNT, 0)
        assert (await move(source, target, "one")).already == COUNT
        assert by_channel(await records(target)) == by_channel(await records(source))
    finally:
        await log.close()
