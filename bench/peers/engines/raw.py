"""The limit: aiokafka and msgspec in a loop that keeps nothing; as `dict`, in a dictionary.

Nothing is durable but the offsets, and the dictionary is lost with the process.
"""

import asyncio
from collections.abc import Iterable

import msgspec
from aiokafka import AIOKafkaConsumer

from bench.peers.job import Event, Frame, Job, read_job
from bench.peers.lap import Lap, Row
from streams.units import MINUTE_MS

State = dict[tuple[int, int], list[int]]


class Fold:
    """The job in plain Python."""

    def __init__(self, job: Job) -> None:
        self._keeps = job.variant == "dict"
        self._state: State = {}
        self._frame = msgspec.msgpack.Decoder(Frame).decode
        self._event = msgspec.json.Decoder(Event).decode
        self.add = self._add_frame if job.framed else self._add_event

    def _add_frame(self, value: bytes) -> int:
        frame = self._frame(value)
        if self._keeps:
            for each in zip(frame.channels, frame.at_ms, frame.increments, strict=True):
                self._put(*each)
        return len(frame.channels)

    def _add_event(self, value: bytes) -> int:
        event = self._event(value)
        if self._keeps:
            self._put(event.channel, event.at_ms, event.increment)
        return 1

    def _put(self, channel: int, at_ms: int, increment: int) -> None:
        row = self._state.get((channel, at_ms // MINUTE_MS))
        if row is None:
            self._state[channel, at_ms // MINUTE_MS] = [1, increment, increment]
            return
        row[0] += 1
        row[1] += increment
        row[2] = max(row[2], increment)

    def rows(self) -> Iterable[Row]:
        return ((*key, *row) for key, row in self._state.items())  # type: ignore[misc]


async def run(job: Job) -> None:
    lap, fold = Lap(job), Fold(job)
    consumer = AIOKafkaConsumer(
        job.topic,
        bootstrap_servers=job.servers,
        group_id=job.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
    )
    await consumer.start()
    while not lap.done:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
            lap.begin()
            for record in records:
                lap.count(fold.add(record.value))
    await consumer.commit()
    lap.end()
    lap.report(fold.rows())
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(run(read_job()))
