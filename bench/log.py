"""How fast the embedded log is: `python -m bench.log [--frames N] [--json FILE]`.

Bias and setup: one process, one event loop, a folder on the disk of the temporary files, fsync on.
A frame is one CountersSampled of 100 posts, made beforehand; encoding it and decoding it again is
measured with the log, because nobody uses the one without the other. Writers append 50 frames a
call, eight calls at a time, and a reader follows them live; then a reader starts over from the
database with nothing in memory. Latencies: one message at a time, every 10 ms, through a Faust
agent with a table to a reader outside Faust; everything shares that event loop.
"""

import argparse
import asyncio
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import faust
import msgspec

from streams import topics
from streams.codec import decode_event, encode
from streams.embedded.log import EmbeddedLog
from streams.events import CountersSampled
from streams.faust.embedded.transport import register_transport
from streams.ids import ChannelId, PostId
from streams.log import Batch, Draft
from streams.topics import Topic, channel_key

START_MS = 1_760_000_000_000
POSTS = 100
CHANNELS = 1_000
PARTITIONS = 4
CALL = 50
WRITERS = 8
OUT = Topic("bench.out")

Figures = dict[str, float]


def sample(number: int) -> CountersSampled:
    return CountersSampled(
        channel_id=ChannelId(1_000_000_000 + number % CHANNELS),
        observed_at_ms=START_MS + number,
        post_ids=[PostId(1_000 + n) for n in range(POSTS)],
        views=[10_000 + number * n % 90_000 for n in range(POSTS)],
        forwards=[number * n % 900 for n in range(POSTS)],
        replies=[number * n % 90 for n in range(POSTS)],
        reactions=[number * n % 2_000 for n in range(POSTS)],
    )


def frames(samples: Sequence[CountersSampled]) -> list[Draft]:
    return [
        Draft(topics.UPDATES.name, channel_key(each.channel_id), encode(each), each.observed_at_ms)
        for each in samples
    ]


async def read(batches: AsyncIterator[Batch], count: int) -> int:
    """Decodes `count` frames; returns how many samples they held."""
    samples = 0
    async for batch in batches:
        for record in batch.records:
            event = decode_event(record.value or b"")
            assert isinstance(event, CountersSampled)
            samples += len(event.post_ids)
        count -= len(batch.records)
        if count == 0:
            break
    return samples


async def throughput(folder: Path, count: int) -> Figures:
    """Samples a second: appended and read live, then read from the database alone."""
    samples = [sample(number) for number in range(CHANNELS)]
    log = await EmbeddedLog.open(folder)
    await log.create(topics.UPDATES, PARTITIONS)
    live = asyncio.create_task(read(log.subscribe([topics.UPDATES.name]), count))
    left = iter(range(0, count, CALL))

    async def writer() -> None:
        for first in left:
            await log.append(frames([samples[n % CHANNELS] for n in range(first, first + CALL)]))

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    appended = time.perf_counter() - began
    total = await live
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await log.close()
    log = await EmbeddedLog.open(folder)
    start = {each: bounds.first for each, bounds in (await log.bounds(topics.UPDATES.name)).items()}
    again = time.perf_counter()
    assert await read(log.subscribe([topics.UPDATES.name], start), count) == total
    cold = time.perf_counter() - again
    await log.close()
    return {
        "appended, samples/s": total / appended,
        "appended and read, samples/s": total / seconds,
        "appended and read, samples/s of processor time": total / cpu,
        "read from the database, samples/s": total / cold,
    }


@asynccontextmanager
async def agent(folder: Path) -> AsyncIterator[None]:
    """Counts the frames of every channel in a table, and sends each frame on."""
    register_transport()
    app = faust.App(
        "bench",
        broker=f"embedded://{folder}",
        store="memory://",
        datadir=str(folder / "faust"),
        topic_partitions=PARTITIONS,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        stream_recovery_delay=0,
        consumer_auto_offset_reset="latest",
    )
    raw: Any = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}
    source, sink = app.topic(topics.UPDATES.name, **raw), app.topic(OUT.name, **raw)
    counts = app.Table("counts", default=int, partitions=PARTITIONS)

    @app.agent(source)
    async def step(stream: Any) -> None:
        async for event in stream.events():
            counts[event.key.decode()] += 1
            sink.send_soon(key=event.key, value=event.value, partition=event.message.partition)

    app.finalize()
    await app.start()
    tables: Any = app.tables
    await tables.recovery.completed.wait()
    yield
    await app.stop()


async def latency(folder: Path, count: int) -> Figures:
    """Milliseconds from `append` being called to a reader having what the agent made of it."""
    log = await EmbeddedLog.open(folder)
    for topic in (topics.UPDATES, OUT):
        await log.create(topic, PARTITIONS)
    delays_ms = []
    async with agent(folder):
        results = log.subscribe([OUT.name])
        for draft in frames([sample(number) for number in range(count)]):
            await asyncio.sleep(0.01)
            began = time.perf_counter()
            await log.append([draft])
            await anext(results)
            delays_ms.append((time.perf_counter() - began) * 1000)
    await log.close()
    cuts = quantiles(delays_ms, n=100)
    return {"agent to reader, p50 ms": cuts[49], "agent to reader, p99 ms": cuts[98]}


async def measure(folder: Path, count: int) -> Figures:
    figures = await throughput(folder / "throughput", count)
    return figures | await latency(folder / "latency", 500)


def report(figures: Figures) -> dict[str, object]:
    """The figures with what they were measured on."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "bench": "log",
        "commit": commit.stdout.strip(),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "figures": figures,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.log", description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000, help="frames of 100 samples")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), options.frames // CALL * CALL))
    for name, figure in figures.items():
        sys.stdout.write(f"{name:<50} {figure:>14,.1f}\n")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report(figures))) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
