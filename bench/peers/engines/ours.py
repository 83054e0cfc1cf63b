"""Ours: an agent like those of the pipeline, its rows and outputs in transactions of its task.

A closed window is sent to a topic and its rows are deleted; what is checked is read from that
topic, as any reader of it sees it.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.engine.cache import RowCache
from agents.engine.sending import Sender
from agents.engine.worker import Worker, WorkerSettings
from bench.peers import lap
from bench.peers.job import PARTITIONS, Event, Frame, Job, read_job
from bench.peers.minutes import BUCKETS, Minute, Progress, fold, row_key
from streams.context import Task
from streams.log import Log, Partition, Record
from streams.metrics import Metrics
from streams.opening import open_log
from streams.topics import Topic
from streams.units import MINUTE_MS
from tables.rows import encode_row


class Views:
    """Folds messages into minutes. Subclasses say what a message is."""

    kind: type

    def __init__(
        self,
        job: Job,
        minutes: RowCache[Minute],
        progress: RowCache[Progress],
        closed: Sender,
    ) -> None:
        self.lap = lap.Lap(job)
        self.all_taken = asyncio.Event()
        self._minutes = minutes
        self._progress = progress
        self._closed = closed
        self._tasks = [b"%d" % task for task in range(PARTITIONS)]

    def measure(self, record: Record) -> None:
        """Nothing."""

    def _count(self, events: int) -> None:
        if self.lap.count(events):
            self.all_taken.set()

    def _move(
        self, task: Task, record: Record, progress: Progress, minutes: set[int], newest_ms: int
    ) -> None:
        """Open and close minutes."""
        opened, ending = progress.move(minutes, newest_ms)
        at_ms = record.timestamp_ms
        for minute in ending:
            self._close(task, minute, at_ms)
        if opened or ending:
            progress.last_offset = record.offset
            self._progress.put(task, self._tasks[task], progress, at_ms)

    def _close(self, task: Task, minute: int, at_ms: int) -> None:
        for bucket in range(BUCKETS):
            key = row_key(task, (minute, bucket))
            row = self._minutes.get(task, key)
            if row.channels:
                self._closed(task, key, encode_row(row), minute * MINUTE_MS)
            self._minutes.drop(task, key, at_ms)


class FrameViews(Views):
    """A message is a frame."""

    kind = Frame
    _decode = staticmethod(msgspec.msgpack.Decoder(Frame).decode)

    def read(self, _task: Task, record: Record) -> Frame:
        self.lap.begin()
        return self._decode(record.value or b"")

    def fold(self, task: Task, record: Record, message: Frame) -> None:
        progress = self._progress.get(task, self._tasks[task])
        touched = fold(
            message,
            progress.closed,
            lambda place: self._minutes.get(task, row_key(task, place)),
        )
        for place, row in touched.items():
            row.last_offset = record.offset
            self._minutes.put(task, row_key(task, place), row, record.timestamp_ms)
        minutes = {minute for minute, _ in touched}
        self._move(task, record, progress, minutes, max(message.at_ms))
        self._count(len(message.channels))


class EventViews(Views):
    """A message is an event."""

    kind = Event
    _decode = staticmethod(msgspec.json.Decoder(Event).decode)

    def read(self, _task: Task, record: Record) -> Event:
        self.lap.begin()
        return self._decode(record.value or b"")

    def fold(self, task: Task, record: Record, message: Event) -> None:
        progress = self._progress.get(task, self._tasks[task])
        minute = message.at_ms // MINUTE_MS
        if minute >= progress.closed:
            key = row_key(task, (minute, message.channel % BUCKETS))
            row = self._minutes.get(task, key)
            row.minute = minute
            row.add(message.channel, message.increment)
            row.last_offset = record.offset
            self._minutes.put(task, key, row, record.timestamp_ms)
            if progress.is_news(minute, message.at_ms):
                self._move(task, record, progress, {minute}, message.at_ms)
        self._count(1)


class Engine:
    """The app of the pipeline with this agent instead of its own."""

    def __init__(self, job: Job, log: Log) -> None:
        self._job = job
        self._log = log
        self._source, self._closed = Topic(job.topic), Topic(f"{job.group}.closed")
        settings = WorkerSettings(
            broker=f"kafka://{job.servers}",
            partitions=PARTITIONS,
            group=job.group,
            tables=job.path / "tables",
            standbys=0,
        )
        worker = Worker(settings, Metrics())
        self._app = worker.app
        views_of = FrameViews if job.framed else EventViews
        self._views = views = views_of(
            job,
            worker.table("minutes", Minute),
            worker.table("progress", Progress),
            worker.sender(self._closed.name),
        )
        bury = worker.graveyard(self._source, "updates")
        worker.add(self._source, "updates", bury, views, {views.kind: [views]})

    async def run(self) -> None:
        for topic in (self._closed, Topic(self._source.dead), *self._changelogs()):
            await self._log.create(topic, PARTITIONS)
        self._app.finalize()
        running = asyncio.create_task(self._app.start())
        await self._views.all_taken.wait()
        await self._durable()
        self._views.lap.end()
        await self._app.stop()
        await asyncio.gather(running, return_exceptions=True)
        self._views.lap.report(await rows(self._job.servers, self._closed.name))

    def _changelogs(self) -> Iterator[Topic]:
        for table in cast(Any, self._app.tables).values():
            yield Topic(table.changelog_topic_name, retention_ms=None, compacted=True)

    async def _durable(self) -> None:
        """Until the offsets of all messages are committed, and with them what was made of them."""
        wanted = {
            Partition(self._job.topic, number): messages
            for number, messages in enumerate(self._job.messages)
        }
        while True:
            await cast(Any, self._app.consumer).commit()
            committed = await self._log.committed(self._job.group)
            if all(committed.get(at, 0) >= messages for at, messages in wanted.items()):
                return
            await asyncio.sleep(0.001)


async def rows(servers: str, topic: str) -> list[lap.Row]:
    """All that was sent, when all transactions have ended, committed ones alone."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    anything = AIOKafkaConsumer(bootstrap_servers=servers)
    committed = AIOKafkaConsumer(
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    await anything.start()
    await committed.start()
    ends = await anything.end_offsets(partitions)
    committed.assign(partitions)
    decode = msgspec.msgpack.Decoder(Minute).decode
    found: list[lap.Row] = []
    while [at for at in partitions if await committed.position(at) < ends[at]]:
        for records in (await committed.getmany(timeout_ms=100)).values():
            for minute in map(decode, (record.value for record in records)):
                for channel, views in minute.channels.items():
                    row = channel, minute.minute, views.count, views.total, views.most
                    found.append(row)
    await anything.stop()
    await committed.stop()
    return found


async def main() -> None:
    job = read_job()
    log = await open_log(f"kafka://{job.servers}")
    await Engine(job, log).run()
    await log.close()


if __name__ == "__main__":
    asyncio.run(main())
