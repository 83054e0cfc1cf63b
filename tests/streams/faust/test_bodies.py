"""What bodies of ordinary agents may do, on both logs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import faust
import pytest

from streams.log import Draft, Log
from streams.opening import open_log
from streams.topics import Topic
from tests.kafka.fixtures import unique
from tests.laws.log import all_of, until
from tests.streams.faust.ordinary import PARTITIONS, app_on, running

RAW: Any = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}


@pytest.fixture(params=["embedded", "kafka"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "kafka":
        return str(request.getfixturevalue("kafka").url)
    return f"embedded://{tmp_path}/log"


class Scene:
    """A log with a topic in and a topic out, and an app that has no agent yet."""

    def __init__(self, log: Log, url: str, folder: Path) -> None:
        self.log = log
        self.name = unique("bodies")
        self._url = url
        self._folder = folder
        self.app = app = self.app_again()
        self.source = app.topic(f"{self.name}-in", **RAW)
        self.sink = app.topic(f"{self.name}-out", **RAW)

    def app_again(self, folder: str = "") -> faust.App:
        """For a second start, or a second worker: it has neither topics, tables nor agents."""
        return app_on(self._url, self._folder / folder, self.name)

    async def put(self, *values: bytes, key: bytes = b"k") -> None:
        await self.log.append([Draft(f"{self.name}-in", key, value, 1) for value in values])

    async def processed(self, messages: int) -> None:
        async def all_are() -> bool:
            committed = await self.log.committed(self.name)
            of = [n for at, n in committed.items() if at.topic == f"{self.name}-in"]
            return sum(of) == messages

        await until(all_are)

    async def out(self) -> list[bytes | None]:
        found = await all_of(self.log, Topic(f"{self.name}-out"))
        return [record.value for records in found.values() for record in records]


@pytest.fixture
async def on_kafka(kafka: Any, tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened(str(kafka.url), tmp_path) as scene:
        yield scene


@pytest.fixture
async def scene(url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened(url, tmp_path) as scene:
        yield scene


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Scene]:
    log = await open_log(url)
    scene = Scene(log, url, folder)
    for topic in (f"{scene.name}-in", f"{scene.name}-out"):
        await log.create(Topic(topic), PARTITIONS)
    yield scene
    await log.close()


async def test_a_body_may_wait_until_what_it_sent_is_durable(scene: Scene) -> None:
    found: list[list[bytes | None]] = []

    @scene.app.agent(scene.source)
    async def wait(stream: Any) -> None:
        async for value in stream:
            place = await (await scene.sink.send(key=b"k", value=value))
            assert place.topic == f"{scene.name}-out"
            # Brokers show what is committed a moment later.
            while value not in (out := await scene.out()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            found.append(out)

    async with running(scene.app):
        await scene.put(b"1", b"2")
        await scene.processed(2)
    assert found == [[b"1"], [b"1", b"2"]]
    assert await scene.out() == [b"1", b"2"]


async def test_what_is_sent_outside_of_a_message_is_sent(scene: Scene) -> None:
    """As soon as the app has partitions: what it sends is in a commit of one of its tasks."""

    @scene.app.agent(scene.source)
    async def ignore(stream: Any) -> None:
        async for _ in stream:
            pass

    async with running(scene.app) as app:
        await scene.put(b"1")
        await scene.processed(1)
        await app.loop.create_task(scene.sink.send(key=b"k", value=b"alone"))

        async def is_there() -> bool:
            return await scene.out() == [b"alone"]

        await until(is_there)


async def test_a_task_that_outlives_its_message_sends_all_the_same(scene: Scene) -> None:
    later: list[asyncio.Task[Any]] = []
    go_on = asyncio.Event()

    async def send(value: bytes) -> None:
        await go_on.wait()
        await scene.sink.send(key=b"k", value=value)

    @scene.app.agent(scene.source)
    async def begin(stream: Any) -> None:
        async for value in stream:
            later.append(asyncio.create_task(send(value)))  # noqa: PERF401 (the stream has no end)

    async with running(scene.app):
        await scene.put(b"1")
        await scene.processed(1)
        go_on.set()

        async def is_there() -> bool:
            return await scene.out() == [b"1"]

        await until(is_there)
    await asyncio.gather(*later)


async def test_a_table_is_what_its_messages_have_made_of_it(scene: Scene) -> None:
    """Rows are set, read, deleted and counted while nothing of it is committed yet."""
    rows: Any = scene.app.Table("rows", default=int, partitions=PARTITIONS)
    seen: list[object] = []

    @scene.app.agent(scene.source)
    async def change(stream: Any) -> None:
        async for value in stream:
            rows[value.decode()] += 1
            await asyncio.sleep(0)
            if value == b"gone":
                seen.append((rows.pop("gone"), "gone" in rows, rows["gone"]))
            seen.append(sorted(rows.items()))

    async with running(scene.app):
        await scene.put(b"a", b"gone", b"a")
        await scene.processed(3)
        assert (len(rows), dict(rows.items())) == (1, {"a": 2})
    assert seen == [[("a", 1)], (1, False, 0), [("a", 1)], [("a", 2)]]
    app = scene.app_again()
    again: Any = app.Table("rows", default=int, partitions=PARTITIONS)

    @app.agent(app.topic(f"{scene.name}-in", **RAW))
    async def ignore(stream: Any) -> None:
        async for _ in stream:
            pass

    async with running(app):

        async def is_back() -> bool:
            return dict(again.items()) == {"a": 2}

        await until(is_back)


async def test_a_body_that_fails_leaves_nothing_of_its_message(scene: Scene) -> None:
    rows: Any = scene.app.Table("rows", default=int, partitions=PARTITIONS)

    @scene.app.agent(scene.source)
    async def fail(stream: Any) -> None:
        async for value in stream:
            rows["sum"] += 1
            await scene.sink.send(key=b"k", value=value)
            await asyncio.sleep(0)
            if value == b"2":
                raise ZeroDivisionError

    async with running(scene.app) as app:
        await scene.put(b"1")
        await scene.processed(1)
        await scene.put(b"2")

        async def has_crashed() -> bool:
            return app.crashed

        await until(has_crashed)
    assert await scene.out() == [b"1"]
    assert sum((await scene.log.committed(scene.name)).values()) == 1


async def test_a_windowed_table_counts_per_window(scene: Scene) -> None:
    table = scene.app.Table("windowed", default=int, partitions=PARTITIONS)
    counts: Any = table.tumbling(60.0, expires=3600.0)
    seen: list[tuple[bytes, int]] = []

    @scene.app.agent(scene.source)
    async def count(stream: Any) -> None:
        async for value in stream:
            counts["all"] += 1
            await asyncio.sleep(0)
            seen.append((value, counts["all"].value()))

    async with running(scene.app):
        await scene.put(b"1", b"2")
        await scene.log.append([Draft(f"{scene.name}-in", b"k", b"later", 60_001)])
        await scene.processed(3)
    assert seen == [(b"1", 1), (b"2", 2), (b"later", 1)]


async def test_a_stream_by_another_key(scene: Scene) -> None:
    """Faust's own repartitioning: the topic between is the app's."""
    rows: Any = scene.app.Table("rows", default=int, partitions=PARTITIONS)

    @scene.app.agent(scene.source)
    async def count(stream: Any) -> None:
        async for value in stream.group_by(
            lambda value: value, name="values", partitions=PARTITIONS
        ):
            rows[value.decode()] += 1

    async with running(scene.app):
        for key in (b"1", b"2", b"3"):
            await scene.put(b"a", b"b", key=key)

        async def all_counted() -> bool:
            return dict(rows.items()) == {"a": 3, "b": 3}

        await until(all_counted)


async def test_what_a_body_does_for_a_message_that_was_taken_away_goes_nowhere(
    on_kafka: Scene,
) -> None:
    """Another worker comes while it waits: the message is delivered again, and counts once."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    def counting(app: faust.App) -> faust.App:
        rows: Any = app.Table("rows", default=int, partitions=PARTITIONS)
        sink = app.topic(f"{on_kafka.name}-out", **RAW)

        @app.agent(app.topic(f"{on_kafka.name}-in", **RAW))
        async def count(stream: Any) -> None:
            async for value in stream:
                rows["sum"] += 1
                begun.set()
                await go_on.wait()
                await sink.send(key=b"k", value=value)

        return app

    one, two = counting(on_kafka.app), counting(on_kafka.app_again("two"))
    async with running(one):
        await on_kafka.put(b"1")
        await begun.wait()
        async with running(two):

            async def is_shared() -> bool:
                apps: Any = (one, two)
                return all(app.transport.tasks.owned for app in apps)

            await until(is_shared)
            go_on.set()
            await on_kafka.processed(1)
    assert await on_kafka.out() == [b"1"]
    changes = (await all_of(on_kafka.log, Topic(f"{on_kafka.name}-rows-changelog"))).values()
    assert [record.value for records in changes for record in records] == [b"1"]
