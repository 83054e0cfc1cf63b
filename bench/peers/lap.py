"""The stopwatch of one engine: from its first message to its last result being durable."""

import os
import re
import time
from array import array
from collections.abc import Iterable
from pathlib import Path

import msgspec

from bench.peers.job import Job

_TICKS = os.sysconf("SC_CLK_TCK")

#: Channel, minute since 1970, count, sum, maximum.
Row = tuple[int, int, int, int, int]


class Time(msgspec.Struct, frozen=True):
    """How long one run took."""

    start_s: float
    wall_s: float
    #: Of the engine's process, its threads and its children.
    cpu_s: float
    #: 0 where the broker is elsewhere.
    broker_cpu_s: float
    memory_mib: float


class Lap:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._left = job.events
        self._began: tuple[float, float, float] | None = None
        self._ended: tuple[float, float, float] | None = None

    def begin(self) -> None:
        """At the first message; again is nothing."""
        if self._began is None:
            self._began = self._now()

    def count(self, events: int) -> bool:
        """So many more are folded; whether these were the last."""
        self._left -= events
        return self._left <= 0

    @property
    def done(self) -> bool:
        return self._left <= 0

    def end(self) -> None:
        """All is durable; again is nothing."""
        if self._ended is None:
            self._ended = self._now()

    def report(self, rows: Iterable[Row]) -> None:
        """Write what was measured and what was found into the job's folder."""
        assert self._began is not None
        assert self._ended is not None
        wall, cpu, broker = (b - a for a, b in zip(self._began, self._ended, strict=True))
        memory = _memory_mib()
        start = self._began[0] - self._job.started_s
        numbers = array("q")
        for row in rows:
            numbers.extend(row)
        with (self._job.path / "rows").open("wb") as file:
            numbers.tofile(file)
        time_ = Time(start, wall, cpu, broker, memory)
        (self._job.path / "time").write_bytes(msgspec.json.encode(time_))

    def _now(self) -> tuple[float, float, float]:
        times = os.times()
        cpu = time.process_time() + times.children_user + times.children_system
        return time.monotonic(), cpu, cpu_of(self._job.broker_pid)


def _memory_mib() -> float:
    """The most that was resident; getrusage would tell the parent's, if that was more."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


def cpu_of(pid: int | None) -> float:
    """Processor seconds that a process has used, its threads included; 0 for none."""
    if pid is None:
        return 0.0
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / _TICKS
