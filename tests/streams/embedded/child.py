"""Programs that tests run in a process of their own, to kill it or to limit it.

python -m tests.streams.embedded.child append FOLDER    appends without end; says what is durable
python -m tests.streams.embedded.child fill FOLDER      the same with files limited to 3 MB
python -m tests.streams.embedded.child hold FOLDER      opens the log and waits
python -m tests.streams.embedded.child work FOLDER N    a Faust app: ends when N are committed
python -m tests.streams.embedded.child fail FOLDER N    the same; fails at the Nth message
"""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust

from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.faust.embedded.transport import register_transport
from streams.log import Draft, LogFull
from streams.topics import Topic

SETTINGS = Settings(upkeep_interval_ms=20, dirty_bytes=2_000)
QUERY = "?upkeep_interval_ms=20&dirty_bytes=2000"
INPUT = Topic("in")
OUTPUT = Topic("out")
TOTALS = Topic("app-totals-changelog", retention_ms=None, compacted=True)
PARTITIONS = 4


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def append(folder: Path) -> None:
    log = await EmbeddedLog.open(folder, SETTINGS)
    await log.create(INPUT, PARTITIONS)
    start = sum(bounds.next for bounds in (await log.bounds("in")).values())

    async def writer(key: int) -> None:
        for n in range(1_000_000):
            drafts = [Draft("in", b"%d" % key, b"%d" % (start + n), n) for _ in range(1 + n % 3)]
            for partition, offset in await log.append(drafts):
                say(f"{partition.number} {offset} {key} {start + n}")

    await asyncio.gather(*(writer(key) for key in range(8)))


async def fill(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    log = await EmbeddedLog.open(folder, SETTINGS)
    await log.create(INPUT, 1)
    try:
        for n in range(10_000):
            [(_, offset)] = await log.append([Draft("in", b"1", os.urandom(20_000), n)])
            say(f"0 {offset} 1 {n}")
    except LogFull as error:
        say(f"full: {error}")
    await log.close()


async def hold(folder: Path) -> None:
    await EmbeddedLog.open(folder)
    say("open")
    await asyncio.Event().wait()


def build(folder: Path, done: Callable[[int], None]) -> tuple[faust.App, Any]:
    """Counts what came of each key, and sends each new count."""
    register_transport()
    app = faust.App(
        "app",
        broker=f"embedded://{folder}{QUERY}",
        store="memory://",
        datadir=str(folder / "faust"),
        topic_partitions=PARTITIONS,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        stream_recovery_delay=0,
    )
    raw: Any = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}
    source, sink = app.topic(INPUT.name, **raw), app.topic(OUTPUT.name, **raw)
    totals = app.Table("totals", default=int, partitions=PARTITIONS)
    seen = 0

    @app.agent(source)
    async def count(stream: Any) -> None:
        nonlocal seen
        async for event in stream.events():
            key = event.key.decode()
            totals[key] += 1
            seen += 1
            done(seen)
            sink.send_soon(
                key=event.key, value=b"%d" % totals[key], partition=event.message.partition
            )

    return app, totals


async def work(folder: Path, total: int) -> None:
    log = await EmbeddedLog.open(folder, SETTINGS)
    app, totals = build(folder, lambda seen: say(f"seen {seen}") if seen % 20 == 0 else None)
    app.finalize()
    await app.start()
    tables: Any = app.tables
    await tables.recovery.completed.wait()
    while sum((await log.committed("app")).values()) < total:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    say(json.dumps(dict(totals.items()), sort_keys=True))
    await app.stop()
    await log.close()


async def fail(folder: Path, at: int) -> None:
    def done(seen: int) -> None:
        if seen == at:
            say("failed")
            raise ValueError("a body that fails half way")

    app, _ = build(folder, done)
    app.finalize()
    await app.start()
    crashed: Any = app
    await crashed._crashed.wait()
    say(f"crashed: {crashed.crash_reason}")
    os._exit(1)


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    programs: dict[str, Any] = {"append": append, "fill": fill, "hold": hold}
    counted: dict[str, Any] = {"work": work, "fail": fail}
    if command in programs:
        asyncio.run(programs[command](folder))
    else:
        asyncio.run(counted[command](folder, int(sys.argv[3])))
