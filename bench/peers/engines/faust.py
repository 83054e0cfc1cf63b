"""Faust as its documentation shows it: a record, an agent, a tumbling table, a write an event.

Its own aiokafka driver, RocksDB with a changelog, its settings as they are (but for the web
server, which is off). Frames are opened in the agent, and the table takes each event's own time.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import faust
import msgspec

from bench.peers.job import PARTITIONS, Frame, Job, read_job
from bench.peers.lap import Lap, Row
from streams.units import MINUTE_MS


class Increment(faust.Record, serializer="json"):
    channel: int
    at_ms: int
    increment: int


class Engine:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._lap = Lap(job)
        self._all_taken = asyncio.Event()
        self._at_s = 0.0
        self._app = faust.App(
            job.group,
            broker=f"kafka://{job.servers}",
            store="rocksdb://",
            datadir=job.folder,
            topic_partitions=PARTITIONS,
            web_enabled=False,
        )
        table: Any = self._app.Table("views", default=lambda: [0, 0, 0], partitions=PARTITIONS)
        self._views = table.tumbling(60.0, expires=24 * 3600.0)
        if job.framed:
            self._views = self._views.relative_to(lambda _: self._at_s)
            topic = self._app.topic(job.topic, value_type=bytes, value_serializer="raw")
            self._app.agent(topic)(self._open)
        else:
            self._app.agent(self._app.topic(job.topic, value_type=Increment))(self._fold)

    async def _fold(self, stream: Any) -> None:
        async for event in stream:
            self._lap.begin()
            self._add(event.channel, event.increment)
            self._taken(1)

    async def _open(self, stream: Any) -> None:
        decode = msgspec.msgpack.Decoder(Frame).decode
        async for value in stream:
            self._lap.begin()
            frame = decode(value)
            for channel, at_ms, increment in zip(
                frame.channels, frame.at_ms, frame.increments, strict=True
            ):
                self._at_s = at_ms / 1000
                self._add(channel, increment)
            self._taken(len(frame.channels))

    def _add(self, channel: int, increment: int) -> None:
        count, total, most = self._views[channel].value()
        self._views[channel] = [count + 1, total + increment, max(most, increment)]

    def _taken(self, events: int) -> None:
        if self._lap.count(events):
            self._all_taken.set()

    async def run(self) -> None:
        self._app.finalize()
        running = asyncio.create_task(self._app.start())
        await self._all_taken.wait()
        await self._durable()
        self._lap.end()
        self._lap.report(self._rows())
        await self._app.stop()
        await asyncio.gather(running, return_exceptions=True)

    async def _durable(self) -> None:
        """Until the changelog is with the broker and all offsets are committed."""
        app: Any = self._app
        while True:
            await app.producer.flush()
            await app.consumer.commit()
            if not app.producer.buffer.size and self._committed(app.monitor.tp_committed_offsets):
                return
            await asyncio.sleep(0.001)

    def _committed(self, offsets: Any) -> bool:
        done = {tp.partition: at for tp, at in offsets.items() if tp.topic == self._job.topic}
        return all(done.get(n, 0) >= wanted for n, wanted in enumerate(self._job.messages))

    def _rows(self) -> Iterable[Row]:
        for (channel, (start_s, _)), row in self._views.table.data.items():
            yield channel, int(start_s * 1000) // MINUTE_MS, *row


if __name__ == "__main__":
    asyncio.run(Engine(read_job()).run())
