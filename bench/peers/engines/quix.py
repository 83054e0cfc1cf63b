"""Quix Streams: a tumbling window with three aggregations, RocksDB and changelog, its settings.

A window is of a message's key, so frames must be opened and keyed anew. Its documented way sends
every event through another topic; because a channel is in one partition already, it is done in
place here, which is to its favour.
"""

from typing import Any

import msgspec
from quixstreams import Application
from quixstreams.dataframe.windows.aggregations import Count, Max, Sum

from bench.peers.job import Frame, Job, read_job
from bench.peers.lap import Lap, Row
from streams.units import MINUTE_MS

GRACE_MS = 10_000


class Engine:
    def __init__(self, job: Job) -> None:
        self._lap = Lap(job)
        self._rows: list[Row] = []
        self._decode = msgspec.msgpack.Decoder(Frame).decode
        self._app = Application(
            broker_address=job.servers,
            consumer_group=job.group,
            auto_offset_reset="earliest",
            state_dir=job.folder,
            loglevel="ERROR",
        )
        form = "bytes" if job.framed else "json"
        events = self._app.dataframe(self._app.topic(job.topic, value_deserializer=form))
        if job.framed:
            opened = events.stream.add_transform(self._open, expand=True)
            events = events.__dataframe_clone__(stream=opened)
            column = None
        else:
            events = events.update(self._count)
            column = "increment"
        windows = (
            events.tumbling_window(MINUTE_MS, GRACE_MS)
            .agg(count=Count(), total=Sum(column), most=Max(column))
            .final(closing_strategy="partition")
        )
        windows.update(self._keep, metadata=True)

    def _open(self, value: bytes, _key: Any, _at: int, _headers: Any) -> list[Any]:
        self._lap.begin()
        frame = self._decode(value)
        self._taken(len(frame.channels))
        return [
            (increment, b"%d" % channel, at_ms, None)
            for channel, at_ms, increment in zip(
                frame.channels, frame.at_ms, frame.increments, strict=True
            )
        ]

    def _count(self, _value: Any) -> None:
        self._lap.begin()
        self._taken(1)

    def _taken(self, events: int) -> None:
        if self._lap.count(events):
            self._app.stop()

    def _keep(self, value: dict[str, int], key: bytes, _at: int, _headers: Any) -> None:
        minute = value["start"] // MINUTE_MS
        self._rows.append((int(key), minute, value["count"], value["total"], value["most"]))

    def run(self) -> None:
        """The last checkpoint, which is forced, is the end; then it leaves its group."""
        context = self._app._processing_context
        commit = context.commit_checkpoint

        def commit_and_note(force: bool = False, **more: Any) -> None:
            commit(force, **more)
            if force:
                self._lap.end()

        context.commit_checkpoint = commit_and_note
        self._app.run()
        self._lap.report(self._rows)


if __name__ == "__main__":
    Engine(read_job()).run()
