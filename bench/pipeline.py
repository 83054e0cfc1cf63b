"""How fast the pipeline is: `python -m bench.pipeline [--history] [--rounds N]`.

Bias and setup: frames of 100 counters of 1,000 channels, a minute of event time apart, are in an
embedded log before the clock starts; so readers never wait for a source, and all of it is backlog.
Young posts gain views in every frame, other counters in a tenth of them. The limit is a loop that
reads the same log and decodes the same frames on this machine, and keeps nothing. One process, one
event loop; `cpu` is the processor time of all its threads (the log's writer among them), `wall`
suffers from whatever else runs here. With --history the history agent stores in chDB meanwhile.
"""

import argparse
import asyncio
import gc
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from agents.app import WorkerSettings, build
from agents.history import HistoryAgent
from clickhouse.opening import open_history
from streams import topics
from streams.codec import decode_event, encode
from streams.embedded.log import EmbeddedLog
from streams.events import CountersSampled, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.log import Draft
from streams.metrics import Metrics
from streams.topics import channel_key

START_MS = 1_760_000_040_000
MINUTE_MS = 60_000
POSTS = 100
PARTITIONS = 4
FIRST_ID = 1000

Figures = dict[str, float]


class Channel:
    """A channel whose counters grow."""

    def __init__(self, channel_id: int, chance: random.Random) -> None:
        self.id = ChannelId(channel_id)
        self._chance = chance
        self._columns = [
            [chance.randrange(most) for _ in range(POSTS)] for most in (9999, 99, 50, 99)
        ]

    def seen(self) -> PostsSeen:
        posts = [
            Post(PostId(FIRST_ID + n), START_MS - (POSTS - n) * 20 * MINUTE_MS)
            for n in range(POSTS)
        ]
        return PostsSeen(channel_id=self.id, observed_at_ms=START_MS, posts=posts)

    def sampled(self, number: int) -> CountersSampled:
        views, *others = self._columns
        for post in range(POSTS):
            views[post] += self._chance.randrange(1 + post // 5)
        for column in others:
            for post in self._chance.sample(range(POSTS), POSTS // 10):
                column[post] += 1
        views, forwards, replies, reactions = self._columns
        return CountersSampled(
            channel_id=self.id,
            observed_at_ms=START_MS + number * MINUTE_MS + self.id,
            post_ids=[PostId(FIRST_ID + n) for n in range(POSTS)],
            views=list(views),
            forwards=list(forwards),
            replies=list(replies),
            reactions=list(reactions),
        )


async def fill(log: EmbeddedLog, channels: int, rounds: int) -> int:
    """Put the frames into the log; how many samples of posts they hold."""
    chance = random.Random(7)
    world = [Channel(1 + number, chance) for number in range(channels)]
    await append(log, [draft(channel.seen()) for channel in world])
    for number in range(rounds):
        await append(log, [draft(channel.sampled(number)) for channel in world])
    return channels * rounds * POSTS


def draft(event: PostsSeen | CountersSampled) -> Draft:
    key = channel_key(event.channel_id)
    return Draft(topics.UPDATES.name, key, encode(event), event.observed_at_ms)


async def append(log: EmbeddedLog, drafts: Sequence[Draft]) -> None:
    for start in range(0, len(drafts), 500):
        await log.append(drafts[start : start + 500])


class Stopwatch:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def per_second(self, samples: int) -> tuple[float, float]:
        """By the wall's clock, and by processor time."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return samples / wall, samples / cpu


async def limit(log: EmbeddedLog, samples: int) -> tuple[float, float]:
    """Read and decode, nothing else."""
    watch = Stopwatch()
    for partition, bounds in (await log.bounds(topics.UPDATES.name)).items():
        offset = bounds.first
        while offset < bounds.next:
            batch = await log.read(partition, offset, 500)
            for record in batch:
                assert record.value is not None
                decode_event(record.value)
            offset = batch[-1].offset + 1
    return watch.per_second(samples)


async def pipeline(log: EmbeddedLog, folder: Path, samples: int) -> dict[str, tuple[float, float]]:
    """From the app's start until updates are done, and until windows and alerts are as well."""
    app = build(WorkerSettings(broker=f"embedded://{folder}", partitions=PARTITIONS), Metrics())
    watch = Stopwatch()
    starting = asyncio.create_task(app.start())
    await settled(log, [topics.UPDATES.name])
    updates = watch.per_second(samples)
    await settled(log, [topics.UPDATES.name, topics.WINDOWS.name])
    everything = watch.per_second(samples)
    await app.stop()
    await asyncio.gather(starting, return_exceptions=True)
    return {"updates": updates, "updates_and_spikes": everything}


async def settled(log: EmbeddedLog, names: Sequence[str]) -> None:
    while True:
        committed = await log.committed("analyticbot")
        bounds = {p: b for name in names for p, b in (await log.bounds(name)).items()}
        if all(committed.get(p, 0) >= b.next for p, b in bounds.items()):
            return
        await asyncio.sleep(0.02)


@asynccontextmanager
async def history(
    log: EmbeddedLog, folder: Path, *, wanted: bool
) -> AsyncIterator[HistoryAgent | None]:
    if not wanted:
        yield None
        return
    store = await open_history(f"chdb://{folder}")
    await store.migrate()
    agent = HistoryAgent(log, store, Metrics())
    running = asyncio.create_task(agent.run())
    try:
        yield agent
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()


async def measure(folder: Path, channels: int, rounds: int, *, with_history: bool) -> Figures:
    """Figures by name; the unit ends the name."""
    log = await EmbeddedLog.open(folder / "log")
    for topic in topics.ALL:
        await log.create(topic, PARTITIONS)
    samples = await fill(log, channels, rounds)
    gc.freeze()
    bare = await limit(log, samples)
    async with history(log, folder / "history", wanted=with_history) as agent:
        watch = Stopwatch()
        found = {"limit": bare, **await pipeline(log, folder / "log", samples)}
        if agent is not None:
            ends = {
                p: b.next
                for topic in (topics.UPDATES, topics.WINDOWS, topics.ALERTS)
                for p, b in (await log.bounds(topic.name)).items()
            }
            await agent.caught_up(ends)
            found["with_history"] = watch.per_second(samples)
    await log.close()
    return figures(found)


def figures(found: dict[str, tuple[float, float]]) -> Figures:
    named: Figures = {}
    for name, (wall, cpu) in found.items():
        named[f"{name}_samples_per_s"] = round(wall)
        named[f"{name}_samples_per_cpu_s"] = round(cpu)
        if name != "limit":
            named[f"{name}_share_of_limit_percent"] = round(100 * cpu / found["limit"][1], 1)
    named["memory_high_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return named


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.pipeline")
    parser.add_argument("--channels", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15, help="frames a channel")
    parser.add_argument("--history", action="store_true", help="store in chDB as well")
    chosen = parser.parse_args()
    # What the process sets at its start: its rows are many objects that live long.
    gc.set_threshold(50_000, 20, 50)
    with tempfile.TemporaryDirectory() as folder:
        run = measure(Path(folder), chosen.channels, chosen.rounds, with_history=chosen.history)
        for name, figure in asyncio.run(run).items():
            sys.stdout.write(f"{name:45} {figure:>15,}\n")


if __name__ == "__main__":
    main()
