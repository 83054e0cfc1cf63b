"""bytewax: a fold over tumbling windows, one worker; as `recovery`, with its SQLite store.

Its settings, so a snapshot every ten seconds and at the end. Events are folded as they come,
which is to its favour: by default it would sort them by time first.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import msgspec
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from bytewax.testing import TestingSink

from bench.peers.job import Event, Frame, Job, read_job
from bench.peers.lap import Lap

GRACE = timedelta(seconds=10)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

State = tuple[int, int, int]
Keyed = tuple[str, tuple[datetime, int]]


class Engine:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._lap = Lap(job)
        self._frame = msgspec.msgpack.Decoder(Frame).decode
        self._event = msgspec.json.Decoder(Event).decode
        self._windows: list[Any] = []

    def _open(self, message: Any) -> Iterable[Keyed]:
        self._lap.begin()
        frame = self._frame(message.value)
        self._lap.count(len(frame.channels))
        return [
            (str(channel), (datetime.fromtimestamp(at_ms / 1000, UTC), increment))
            for channel, at_ms, increment in zip(
                frame.channels, frame.at_ms, frame.increments, strict=True
            )
        ]

    def _key(self, message: Any) -> Keyed:
        self._lap.begin()
        event = self._event(message.value)
        self._lap.count(1)
        at = datetime.fromtimestamp(event.at_ms / 1000, UTC)
        return str(event.channel), (at, event.increment)

    def _flow(self) -> Dataflow:
        flow = Dataflow("peers")
        source = KafkaSource([self._job.servers], [self._job.topic], tail=False)
        messages = op.input("in", flow, source)
        if self._job.framed:
            events = op.flat_map("open", messages, self._open)
        else:
            events = op.map("key", messages, self._key)
        # By default the machine's clock moves the watermark on as well: a backlog that is read
        # slowly would be late.
        clock = EventClock(
            lambda event: event[0], GRACE, now_getter=lambda: EPOCH, to_system_utc=lambda _: None
        )
        windower = TumblingWindower(timedelta(minutes=1), EPOCH)
        folded = fold_window(
            "fold", events, clock, windower, lambda: (0, 0, 0), add, merge, ordered=False
        )
        op.output("out", folded.down, TestingSink(self._windows))
        return flow

    def run(self) -> None:
        recovery = None
        if self._job.variant == "recovery":
            init_db_dir(self._job.path, 1)
            recovery = RecoveryConfig(self._job.folder)
        cli_main(self._flow(), recovery_config=recovery)
        self._lap.end()
        assert self._lap.done
        self._lap.report((int(key), minute, *row) for key, (minute, row) in self._windows)


def add(state: State, event: tuple[datetime, int]) -> State:
    count, total, most = state
    increment = event[1]
    return count + 1, total + increment, most if most > increment else increment


def merge(one: State, other: State) -> State:
    return one[0] + other[0], one[1] + other[1], max(one[2], other[2])


if __name__ == "__main__":
    Engine(read_job()).run()
