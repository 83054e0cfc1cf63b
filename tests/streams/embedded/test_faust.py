"""Faust on the embedded log, in this process: what a stream, a table and a commit do there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import faust
import pytest

from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.faust.consumer import stop_commits
from streams.faust.embedded.transport import register_transport
from streams.log import Draft, Partition
from streams.partitioner import partition_of
from streams.topics import Topic
from tests.laws.log import all_of, numbers, until
from tests.patience import PATIENCE_S

IN, OUT = Topic("in"), Topic("out")
ROWS = Topic("app-rows-changelog", retention_ms=None, compacted=True)
EAGER = Settings(upkeep_interval_ms=10, dirty_bytes=500)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await EmbeddedLog.open(tmp_path / "log", EAGER)
    for topic in (IN, OUT):
        await log.create(topic, 4)
    yield log
    await log.close()


class Running:
    """An app with a table `rows` and an agent that gives every event to `body`."""

    def __init__(self, folder: Path, body: Callable[["Running", Any], None]) -> None:
        register_transport()
        self.app = faust.App(
            "app",
            broker=f"embedded://{folder}",
            store="memory://",
            datadir=str(folder / "faust"),
            topic_partitions=4,
            topic_disable_leader=True,
            web_enabled=False,
            stream_wait_empty=False,
            stream_recovery_delay=0,
        )
        raw: Any = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}
        self.source, self.sink = self.app.topic(IN.name, **raw), self.app.topic(OUT.name, **raw)
        self.rows: Any = self.app.Table("rows", default=None, partitions=4)

        @self.app.agent(self.source)
        async def agent(stream: Any) -> None:
            async for event in stream.events():
                body(self, event)


@asynccontextmanager
async def running(folder: Path, body: Callable[[Running, Any], None]) -> AsyncIterator[Running]:
    app = Running(folder, body)
    app.app.finalize()
    await app.app.start()
    tables: Any = app.app.tables
    await asyncio.wait_for(tables.recovery.completed.wait(), PATIENCE_S)
    yield app
    await app.app.stop()


def copy(app: Running, event: Any) -> None:
    app.sink.send_soon(key=event.key, value=event.value, partition=event.message.partition)


def put(app: Running, event: Any) -> None:
    """Sets a row; an empty value deletes it."""
    if event.value:
        app.rows[event.key.decode()] = event.value.decode()
    else:
        app.rows.pop(event.key.decode(), None)
    copy(app, event)


def committed(log: EmbeddedLog, total: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return sum((await log.committed("app")).values()) == total

    return reached


async def test_events_are_what_was_appended(tmp_path: Path, log: EmbeddedLog) -> None:
    seen = []
    drafts = [Draft("in", b"%d" % n, b"%d" % n, 1_750_000_000_123, {"h": b"1"}) for n in range(9)]
    places = await log.append(drafts)
    async with running(tmp_path / "log", lambda _, event: seen.append(event)):
        await until(committed(log, 9))
    found = {(event.message.partition, event.message.offset): event for event in seen}
    for draft, (partition, offset) in zip(drafts, places, strict=True):
        event = found[partition.number, offset]
        assert (event.key, event.value, dict(event.headers)) == (
            draft.key,
            draft.value,
            {"h": b"1"},
        )
        assert round(event.message.timestamp * 1000) == draft.timestamp_ms


async def test_a_key_has_the_same_partition_in_faust(tmp_path: Path, log: EmbeddedLog) -> None:
    def forward(app: Running, event: Any) -> None:
        app.sink.send_soon(key=event.value, value=event.value)

    keys = [b"%d" % n for n in range(100)]
    async with running(tmp_path / "log", forward) as app:
        await log.append([Draft("in", b"1", key, 1) for key in keys])
        await until(committed(log, 100))
        for key in keys:
            expected = app.app.producer.key_partition("out", key)
            assert expected.partition == partition_of(key, 4)
    for partition, records in (await all_of(log, OUT)).items():
        assert {partition_of(record.key or b"", 4) for record in records} <= {partition.number}


async def test_outputs_and_offsets_become_visible_at_once(tmp_path: Path, log: EmbeddedLog) -> None:
    batches = log.subscribe(["out"])
    async with running(tmp_path / "log", put):
        await log.append([Draft("in", b"k", b"1", 1)])
        [record] = (await anext(batches)).records
        assert record.value == b"1"
        assert sum((await log.committed("app")).values()) == 1
        assert [len(each) for each in (await all_of(log, ROWS)).values() if each] == [1]


async def test_a_table_is_there_again_after_a_start(tmp_path: Path, log: EmbeddedLog) -> None:
    async with running(tmp_path / "log", put):
        await log.append([Draft("in", b"%d" % (n % 5), b"%d" % n, n) for n in range(1_000)])
        await until(committed(log, 1_000))
    async with running(tmp_path / "log", put) as app:
        assert dict(app.rows.items()) == {str(n % 5): str(n) for n in range(995, 1_000)}
        await log.append([Draft("in", b"0", b"last", 1)])
        await until(committed(log, 1_001))
        assert app.rows["0"] == "last"
    assert numbers((await all_of(log, OUT))[Partition("out", partition_of(b"1", 4))])


async def test_recovery_gets_through_gaps_and_tombstones_of_a_compacted_changelog(
    tmp_path: Path, log: EmbeddedLog
) -> None:
    keys = [b"%d" % n for n in range(20)]
    async with running(tmp_path / "log", put):
        for n in range(30):
            await log.append([Draft("in", key, b"%d" % n, n) for key in keys])
        await log.append([Draft("in", key, b"", 1) for key in keys[1:]])
        await until(committed(log, 30 * 20 + 19))

        async def compacted() -> bool:
            return sum(map(len, (await all_of(log, ROWS)).values())) < 300

        await until(compacted)
    async with running(tmp_path / "log", put) as app:
        assert dict(app.rows.items()) == {"0": "29"}


async def test_nothing_is_committed_after_commits_were_stopped(
    tmp_path: Path, log: EmbeddedLog
) -> None:
    def body(app: Running, event: Any) -> None:
        if event.value == b"5":
            stop_commits(app.app)
        copy(app, event)

    async with running(tmp_path / "log", body):
        for n in range(5):
            await log.append([Draft("in", b"k", b"%d" % n, n)])
        await until(committed(log, 5))
        batches = log.subscribe(["out"])
        await log.append([Draft("in", b"k", b"%d" % n, n) for n in range(5, 10)])
    assert sum((await log.committed("app")).values()) == 5
    async with running(tmp_path / "log", copy):
        await until(committed(log, 10))
        assert numbers((await anext(batches)).records) == [5, 6, 7, 8, 9]


async def test_a_slow_app_slows_nobody_else(tmp_path: Path, log: EmbeddedLog) -> None:
    """More than a stream's buffer holds is waiting; readers and writers go on meanwhile."""
    drafts = [Draft("in", b"%d" % n, b"%d" % n, n) for n in range(20_000)]
    await log.append(drafts)
    seen = 0

    def count(_: Running, __: Any) -> None:
        nonlocal seen
        seen += 1

    async with running(tmp_path / "log", count):
        batches = log.subscribe(["out"])
        await log.append([Draft("out", b"k", b"1", 1)])
        assert len((await anext(batches)).records) == 1
        await until(committed(log, 20_000))
    assert seen == 20_000
