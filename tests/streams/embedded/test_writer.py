"""The writer's thread: one wait for the disk serves all, back-pressure, a disk that fails."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.database import Database, NoSpace, Write
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.log import Draft, Log, LogClosed, LogError, LogFull, Partition
from streams.topics import Topic
from tests.laws.log import numbers
from tests.patience import BUSY, PATIENCE_S

TOPIC = Topic("t")
HERE = Partition("t", 0)
SMALL = Settings(buffer_bytes=10_000, upkeep_interval_ms=10_000_000)


class Disk:
    """Stands before Database.write: counts, holds or fails it."""

    def __init__(self) -> None:
        self.writes = 0
        self.fail_after: int | None = None
        #: Nothing is left of it, until this is set to False.
        self.full = False
        #: What was written before it was found to be full is there all the same.
        self.keeps = False
        self.refused = 0
        self.ready = threading.Event()
        self.ready.set()

    def __call__(self, database: Database, write: Write, *, durable: bool = True) -> None:
        assert self.ready.wait(PATIENCE_S)
        if self.fail_after is not None and self.writes >= self.fail_after:
            raise LogFull("File too large")
        if self.full:
            if self.keeps:
                self.write(database, write, durable=durable)
            self.refused += 1
            raise NoSpace("No space left on device")
        self.writes += 1
        self.write(database, write, durable=durable)

    write = staticmethod(Database.write)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()

    def write(database: Database, write: Write, *, durable: bool = True) -> None:
        disk(database, write, durable=durable)

    monkeypatch.setattr(Database, "write", write)
    yield disk
    disk.ready.set()


async def opened(tmp_path: Path, settings: Settings = SMALL) -> Log:
    log = await EmbeddedLog.open(tmp_path / "log", settings)
    await log.create(TOPIC, 1)
    return log


def draft(n: int, size: int = 0) -> Draft:
    return Draft("t", b"k", b"%d" % n + b"." * size, n)


async def test_one_write_serves_all_who_wait(tmp_path: Path, disk: Disk) -> None:
    log = await opened(tmp_path, Settings())
    disk.ready.clear()
    first = asyncio.create_task(log.append([draft(0)]))
    await asyncio.sleep(0)
    before = disk.writes
    rest = [asyncio.create_task(log.append([draft(n)])) for n in range(1, 500)]
    await asyncio.sleep(0)
    disk.ready.set()
    await asyncio.gather(first, *rest)
    assert disk.writes - before <= 3
    assert numbers(await log.read(HERE, 0, 1000)) == list(range(500))
    await log.close()


async def test_nothing_is_read_before_it_is_durable(tmp_path: Path, disk: Disk) -> None:
    log = await opened(tmp_path)
    disk.ready.clear()
    append = asyncio.create_task(log.append([draft(0)]))
    batches = log.subscribe(["t"], {HERE: 0})
    reader = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0.05)
    assert not append.done()
    assert not reader.done()
    assert (await log.bounds("t"))[HERE].next == 0
    disk.ready.set()
    await append
    assert numbers((await reader).records) == [0]
    await log.close()


async def test_append_waits_while_the_buffers_are_full(tmp_path: Path, disk: Disk) -> None:
    log = await opened(tmp_path)
    disk.ready.clear()
    appends = [asyncio.create_task(log.append([draft(n, 3_000)])) for n in range(10)]
    await asyncio.sleep(0.05)
    engine = log._engine  # type: ignore[attr-defined]
    assert engine.room.taken <= SMALL.buffer_bytes
    disk.ready.set()
    places = [place for append in appends for place in await append]
    assert [offset for _, offset in places] == list(range(10))
    assert engine.room.taken == 0
    await log.close()


async def test_more_than_the_whole_buffer_is_taken_when_it_is_empty(tmp_path: Path) -> None:
    log = await opened(tmp_path)
    await log.append([draft(n, 3_000) for n in range(50)])
    assert numbers(await log.read(HERE, 0, 100)) == list(range(50))
    await log.close()


async def test_an_append_that_is_given_up_frees_its_room(tmp_path: Path, disk: Disk) -> None:
    log = await opened(tmp_path)
    disk.ready.clear()
    appends = [asyncio.create_task(log.append([draft(n, 6_000)])) for n in range(6)]
    await asyncio.sleep(0)
    for append in appends[::2]:
        append.cancel()
    disk.ready.set()
    await asyncio.gather(*appends, return_exceptions=True)
    await log.append([draft(9, 9_000)])
    assert log._engine.room.taken == 0  # type: ignore[attr-defined]
    await log.close()


async def test_a_disk_that_is_full_stops_the_log_and_loses_nothing(
    tmp_path: Path, disk: Disk
) -> None:
    log = await opened(tmp_path)
    disk.fail_after = disk.writes + 20
    acknowledged: list[int] = []
    batches = log.subscribe(["t"])
    with pytest.raises(LogFull):
        for n in range(100):
            await log.append([draft(n)])
            acknowledged.append(n)
    assert acknowledged == list(range(20))
    for again in (log.append([draft(0)]), log.commit("g", {HERE: 1}), log.create(Topic("u"), 1)):
        with pytest.raises(LogFull):
            await again
    with pytest.raises(LogFull):
        await anext(batches)
    await log.close()
    disk.fail_after = None
    log = await EmbeddedLog.open(tmp_path / "log")
    assert numbers(await log.read(HERE, 0, 100)) == acknowledged
    await log.close()


async def test_everybody_who_waits_learns_that_the_disk_is_full(tmp_path: Path, disk: Disk) -> None:
    log = await opened(tmp_path)
    disk.ready.clear()
    disk.fail_after = disk.writes
    appends = [asyncio.create_task(log.append([draft(n, 4_000)])) for n in range(20)]
    await asyncio.sleep(0)
    disk.ready.set()
    for outcome in await asyncio.gather(*appends, return_exceptions=True):
        assert isinstance(outcome, LogFull)
    await log.close()


async def test_the_log_stops_before_the_disk_is_quite_full(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log", Settings(free_bytes=1 << 60))
    with pytest.raises(LogFull, match=r"MiB are free.*make room"):
        await log.create(TOPIC, 1)
    await log.close()


async def held(log: Log) -> None:
    while not log.held:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("keeps", [False, True])
async def test_what_waits_for_room_is_written_once_when_there_is(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture, *, keeps: bool
) -> None:
    log = await opened(tmp_path)
    await log.append([draft(0)])
    disk.full, disk.keeps = True, keeps
    first = asyncio.create_task(log.append([draft(1), draft(2)]))
    await held(log)
    assert log.held == "No space left on device"
    more = [asyncio.create_task(log.append([draft(n)])) for n in range(3, 6)]
    committing = asyncio.create_task(log.commit("g", {HERE: 3}))
    before = disk.refused
    while disk.refused == before:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert not first.done()
    # What is there can be read meanwhile.
    assert numbers(await log.read(HERE, 0, 100)) == [0]
    disk.full = False
    await asyncio.gather(first, committing, *more)
    assert log.held == ""
    said = [record.message for record in caplog.records]
    assert said == ["unavailable", "available"]
    await log.close()
    log = await EmbeddedLog.open(tmp_path / "log")
    records = await log.read(HERE, 0, 100)
    assert numbers(records) == [record.offset for record in records] == [0, 1, 2, 3, 4, 5]
    assert await log.committed("g") == {HERE: 3}
    await log.close()


async def test_a_log_that_waits_for_room_can_be_closed(tmp_path: Path, disk: Disk) -> None:
    log = await opened(tmp_path)
    await log.append([draft(0)])
    disk.full = True
    waiting = [asyncio.create_task(log.append([draft(n, 4_000)])) for n in range(1, 9)]
    await held(log)
    await log.close()
    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(outcome, LogError)
    disk.full = False
    log = await EmbeddedLog.open(tmp_path / "log")
    assert numbers(await log.read(HERE, 0, 100)) == [0]
    await log.close()


async def test_what_may_go_goes_while_the_log_waits_for_room(tmp_path: Path) -> None:
    quick = Settings(upkeep_interval_ms=1)
    log = await opened(tmp_path, quick)
    for n in range(50):
        await log.append([draft(n, 10_000)])
    engine = log._engine  # type: ignore[attr-defined]
    # Not as it was found a moment ago.
    engine._space._needed_bytes, engine._space._checked_s = 1 << 60, float("-inf")
    appending = asyncio.create_task(log.append([draft(50)]))
    await held(log)
    # As `ANALYTICBOT_LOG_MIB` of another start would say.
    state = engine.topics["t"]
    state.row.retention_bytes = 100_000
    while (await log.bounds("t"))[HERE].first == 0:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert not appending.done()
    engine._space._needed_bytes = 0
    [(_, offset)] = await appending
    assert offset == 50
    await log.close()
    log = await EmbeddedLog.open(tmp_path / "log")
    bounds = (await log.bounds("t"))[HERE]
    assert 0 < bounds.first < bounds.next == 51
    assert numbers(await log.read(HERE, bounds.first, 100)) == list(range(bounds.first, 51))
    await log.close()


async def test_closing_while_readers_and_writers_wait(tmp_path: Path, disk: Disk) -> None:
    log = await opened(tmp_path)
    disk.ready.clear()
    appends = [asyncio.create_task(log.append([draft(n, 4_000)])) for n in range(20)]
    reader = asyncio.ensure_future(anext(log.subscribe(["t"])))
    await asyncio.sleep(0)
    closing = asyncio.create_task(log.close())
    await asyncio.sleep(0)
    disk.ready.set()
    await closing
    outcomes = await asyncio.gather(*appends, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, LogError)]
    assert 0 < len(refused) < 20
    assert all(isinstance(error, LogClosed) for error in refused)
    with pytest.raises(LogClosed):
        await reader


async def test_readers_wake_soon_after_an_append(tmp_path: Path) -> None:
    log = await opened(tmp_path, Settings())
    loop = asyncio.get_running_loop()
    batches = log.subscribe(["t"])
    latencies = []
    for n in range(100):
        reader = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        await log.append([draft(n)])
        durable = loop.time()
        await reader
        latencies.append(loop.time() - durable)
    assert sorted(latencies)[50] < 0.005 * BUSY
    await log.close()
