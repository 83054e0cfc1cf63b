"""How soon a worker is back: `python -m bench.recovery [--rows 1000000]`.

Bias and setup: a million rows of windows (channel, minute, count, sum, maximum; a row each, which
is the dearest way to keep them) in one table over 8 tasks, put by an agent of a worker process and
committed to its changelog on a real broker on this machine. The worker is killed with -9 and
started again: warm, with its tables on the disk, while a tenth of the rows is put once more, so
that it dies at work; then cold, its folder deleted, so that all comes from the changelog.
`ready` is from the start of the process until it has its tasks and their tables, Python's imports
and the group's forming included; `tables` is the part that reads changelogs. A static member:
nothing waits for the session of the one that died. After each start all rows are compared.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from agents.engine.cache import RowCache
from agents.engine.worker import Worker, WorkerSettings
from bench.broker import open_broker
from streams.context import Task
from streams.log import Draft, Log, Record
from streams.metrics import Metrics
from streams.opening import open_log
from streams.topics import Topic
from tables.rows import Row

PARTITIONS = 8
GROUP = "recovery"
SOURCE = Topic("recovery.rows")
ROOT = Path(__file__).parent.parent
#: Rows that one message puts.
CHUNK = 1_000
START_MS = 1_760_000_040_000
PATIENCE_S = 300.0

Figures = dict[str, float]


class Views(Row):
    """Of one channel in one minute."""

    channel: int = 0
    minute: int = 0
    count: int = 0
    total: int = 0
    most: int = 0


class RowsHandler:
    """Reads a number and puts the rows of that chunk."""

    def __init__(self, rows: RowCache[Views]) -> None:
        self._rows = rows

    def read(self, _task: Task, record: Record) -> int:
        return int(record.value or b"0")

    def fold(self, task: Task, record: Record, message: int) -> None:
        for row in chunk(message):
            row.last_offset = record.offset
            self._rows.put(task, key_of(row), row, record.timestamp_ms)

    def measure(self, record: Record) -> None:
        """Nothing."""


def chunk(number: int) -> Iterator[Views]:
    for index in range(number * CHUNK, (number + 1) * CHUNK):
        channel, minute = divmod(index, 60)
        yield Views(
            channel=1_000_000_000 + channel,
            minute=START_MS // 60_000 + minute,
            count=index % 977,
            total=index * 7 % 99_991,
            most=index % 499,
        )


def key_of(row: Views) -> bytes:
    return b"%d/%d" % (row.channel, row.minute)


# -- the worker


async def work(url: str, tables: Path) -> None:
    """Says on standard output when it is ready, then what its tables hold; until it is killed."""
    settings = WorkerSettings(
        broker=url,
        partitions=PARTITIONS,
        group=GROUP,
        tables=tables,
        instance="recovery",
        standbys=0,
        cached_rows=1,
    )
    metrics = Metrics()
    worker = Worker(settings, metrics)
    handler = RowsHandler(worker.table("views", Views))
    worker.add(SOURCE, "updates", worker.graveyard(SOURCE, "updates"), handler, {int: [handler]})
    ready = asyncio.Event()
    worker.on_assignment(ready.set)
    app = worker.app
    app.finalize()
    await app.start()
    await ready.wait()
    say("ready", at_s=time.monotonic(), tables_s=recovered_s(metrics))
    state = cast(Any, app.transport).state
    count = total = 0
    for _, data in state.items("views", range(PARTITIONS)):
        row = msgspec.msgpack.decode(data, type=Views)
        count, total = count + 1, total + row.count * 3 + row.total * 5 + row.most
    say("held", rows=count, sum=total)
    await asyncio.Event().wait()


def recovered_s(metrics: Metrics) -> float:
    name = "analyticbot_recovery_seconds_sum"
    return metrics.registry.get_sample_value(name) or 0.0


def say(what: str, **told: float) -> None:
    sys.stdout.write(json.dumps({"what": what, **told}) + "\n")
    sys.stdout.flush()


# -- its fate


class Victim:
    """A worker that will be killed."""

    def __init__(self, url: str, tables: Path) -> None:
        self._began_s = time.monotonic()
        command = [sys.executable, "-m", "bench.recovery", "--work", url, str(tables)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)

    def ready(self) -> tuple[float, float]:
        """Seconds since its start, and those for its tables."""
        told = self._told("ready")
        return told["at_s"] - self._began_s, told["tables_s"]

    def held(self) -> tuple[float, float]:
        """Rows, and their sum."""
        told = self._told("held")
        return told["rows"], told["sum"]

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _told(self, what: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        assert told.pop("what") == what
        return cast(dict[str, Any], told)


async def measure(url: str, folder: Path, rows: int) -> Figures:
    log = await open_log(url)
    changelog = Topic(f"{GROUP}-views-changelog", retention_ms=None, compacted=True)
    for topic in (SOURCE, Topic(SOURCE.dead), changelog):
        await log.create(topic, PARTITIONS)
    chunks = rows // CHUNK
    expected = wanted(chunks)
    victim = Victim(url, folder)
    try:
        victim.ready()
        victim.held()
        await put(log, range(chunks))
        await settled(log)
        await put(log, range(chunks // 10))
        victim.kill()
        victim = Victim(url, folder)
        warm = victim.ready()
        check(victim.held(), expected)
        await settled(log)
        victim.kill()
        shutil.rmtree(folder)
        victim = Victim(url, folder)
        cold = victim.ready()
        check(victim.held(), expected)
    finally:
        victim.kill()
    await log.close()
    return {
        "rows": chunks * CHUNK,
        "warm_ready_s": warm[0],
        "warm_tables_s": warm[1],
        "cold_ready_s": cold[0],
        "cold_tables_s": cold[1],
    }


def wanted(chunks: int) -> tuple[int, int]:
    every = [row for number in range(chunks) for row in chunk(number)]
    return len(every), sum(row.count * 3 + row.total * 5 + row.most for row in every)


def check(found: tuple[float, float], expected: tuple[int, int]) -> None:
    if found != expected:
        raise RuntimeError(f"the tables hold {found} after a recovery, not {expected}")


async def put(log: Log, chunks: range) -> None:
    drafts = [Draft(SOURCE.name, b"%d" % n, b"%d" % n, START_MS) for n in chunks]
    for start in range(0, len(drafts), 500):
        await log.append(drafts[start : start + 500])


async def settled(log: Log) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        committed = await log.committed(GROUP)
        bounds = await log.bounds(SOURCE.name)
        if all(committed.get(at, 0) >= found.next for at, found in bounds.items()):
            return
        if time.monotonic() > until_s:
            raise RuntimeError("the worker does not get on")
        await asyncio.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.recovery")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--work", nargs=2, metavar=("URL", "FOLDER"), help="be the worker")
    chosen = parser.parse_args()
    if chosen.work:
        asyncio.run(work(chosen.work[0], Path(chosen.work[1])))
        return
    with tempfile.TemporaryDirectory() as folder, open_broker() as broker:
        found = asyncio.run(measure(broker.url, Path(folder) / "tables", chosen.rows))
    for name, figure in found.items():
        sys.stdout.write(f"{name:45} {figure:>15,.2f}\n")


if __name__ == "__main__":
    main()
