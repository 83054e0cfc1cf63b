"""How fast the pipeline is: `python -m bench.pipeline [--kafka] [--history] [--rounds N]`.

Bias and setup: frames of 100 counters of 1,000 channels, a minute of event time apart, are in an
embedded log before the clock starts; so readers never wait for a source, and all of it is backlog.
Young posts gain views in every frame, other counters in a tenth of them. The limit is a loop that
reads the same log and decodes the same frames on this machine, and keeps nothing. One process, one
event loop; `cpu` is the processor time of all its threads (the log's writer among them), `wall`
suffers from whatever else runs here. With --history the history agent stores in chDB meanwhile.
With --kafka the log is a real broker on this machine instead, which takes its part of the cores
(`broker`, in percent of one); then `wall` starts when the tables are there, after what a group
takes to form.
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
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agents.engine.building import built
from agents.engine.decision import Decision
from agents.engine.worker import WorkerSettings, end_process
from agents.history.writer import HistoryAgent
from agents.pipeline import INPUTS, PIPELINE
from analyticbot.config import read_settings
from analyticbot.stores import wanted_topics
from bench.broker import open_broker
from bench.peers.lap import cpu_of
from clickhouse.opening import open_history
from streams import kinds, topics
from streams.clock import SystemClock
from streams.codec import decode_event, encode
from streams.events import CountersSampled, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.log import Draft, Log
from streams.metrics import Metrics
from streams.opening import open_log
from streams.topics import Topic, channel_key
from streams.units import MINUTE_MS

START_MS = 1_760_000_040_000
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


async def fill(log: Log, channels: int, rounds: int) -> int:
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


async def append(log: Log, drafts: Sequence[Draft]) -> None:
    for start in range(0, len(drafts), 500):
        await log.append(drafts[start : start + 500])


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured."""

    url: str
    #: On Kafka.
    broker_pid: int | None
    folder: Path
    channels: int
    rounds: int
    history: bool


class Speed(NamedTuple):
    """Samples a second by the wall's clock, and by processor time."""

    wall: float
    cpu: float
    #: What the broker used meanwhile, in percent of a core.
    broker: float


class Stopwatch:
    def __init__(self, broker_pid: int | None = None) -> None:
        self._broker_pid = broker_pid
        self.restart()

    def restart(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._broker = cpu_of(self._broker_pid)

    def per_second(self, samples: int) -> Speed:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        broker = cpu_of(self._broker_pid) - self._broker
        return Speed(samples / wall, samples / cpu, 100 * broker / wall)


async def limit(log: Log, samples: int) -> Speed:
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


async def pipeline(
    log: Log, setting: Setting, samples: int, more: Sequence[Decision] = ()
) -> dict[str, Speed]:
    """From the app's start until updates are done, and until windows and alerts are as well.

    On Kafka from its having partitions. `more`: decisions beside those of the pipeline.
    """
    tables = setting.folder / "tables"
    settings = WorkerSettings(broker=setting.url, partitions=PARTITIONS, tables=tables, standbys=0)
    decisions = (*PIPELINE, *more)
    app = built(decisions, INPUTS, settings, Metrics(), end_process, SystemClock(), None)
    watch = Stopwatch(setting.broker_pid)

    async def assigned(*_args: Any, **_kwargs: Any) -> None:
        if setting.broker_pid is not None:
            watch.restart()

    app.on_partitions_assigned.connect(assigned, weak=False)
    starting = asyncio.create_task(app.start())
    await settled(log, [topics.UPDATES.name])
    updates = watch.per_second(samples)
    await settled(log, [topics.UPDATES.name, topics.WINDOWS.name])
    everything = watch.per_second(samples)
    await app.stop()
    await asyncio.gather(starting, return_exceptions=True)
    return {"updates": updates, "updates_and_spikes": everything}


async def settled(log: Log, names: Sequence[str]) -> None:
    while True:
        committed = await log.committed("analyticbot")
        bounds = {p: b for name in names for p, b in (await log.bounds(name)).items()}
        if all(committed.get(p, 0) >= b.next for p, b in bounds.items()):
            return
        await asyncio.sleep(0.02)


@asynccontextmanager
async def history(log: Log, folder: Path, *, wanted: bool) -> AsyncIterator[HistoryAgent | None]:
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


async def measure(setting: Setting) -> Figures:
    """Figures by name; the unit ends the name."""
    folder = setting.folder
    log = await open_log(setting.url)
    for topic in _topics(setting):
        await log.create(topic, PARTITIONS)
    samples = await fill(log, setting.channels, setting.rounds)
    gc.freeze()
    bare = await limit(log, samples)
    async with history(log, folder / "history", wanted=setting.history) as agent:
        watch = Stopwatch(setting.broker_pid)
        found = {"limit": bare, **await pipeline(log, setting, samples)}
        if agent is not None:
            ends = {
                p: b.next
                for topic in (topics.UPDATES, *kinds.TOPICS)
                for p, b in (await log.bounds(topic.name)).items()
            }
            await agent.caught_up(ends)
            found["with_history"] = watch.per_second(samples)
    await log.close()
    return figures(found)


def _topics(setting: Setting) -> Sequence[Topic]:
    environment = {"ANALYTICBOT_LOG": setting.url}
    return wanted_topics(read_settings(environment, setting.folder))


def figures(found: dict[str, Speed]) -> Figures:
    named: Figures = {}
    for name, speed in found.items():
        named[f"{name}_samples_per_s"] = round(speed.wall)
        named[f"{name}_samples_per_cpu_s"] = round(speed.cpu)
        if name != "limit":
            named[f"{name}_share_of_limit_percent"] = round(100 * speed.cpu / found["limit"].cpu, 1)
        if speed.broker:
            named[f"{name}_broker_percent_of_a_core"] = round(speed.broker)
    named["memory_high_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return named


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.pipeline")
    parser.add_argument("--channels", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15, help="frames a channel")
    parser.add_argument("--kafka", action="store_true", help="on a broker of its own")
    parser.add_argument("--history", action="store_true", help="store in chDB as well")
    chosen = parser.parse_args()
    # What the process sets at its start: its rows are many objects that live long.
    gc.set_threshold(50_000, 20, 50)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_broker() if chosen.kafka else nullcontext() as broker,
    ):
        setting = Setting(
            url=broker.url if broker else f"embedded://{folder}/log",
            broker_pid=broker.pid if broker else None,
            folder=Path(folder),
            channels=chosen.channels,
            rounds=chosen.rounds,
            history=chosen.history,
        )
        found = asyncio.run(measure(setting))
        for name, figure in found.items():
            sys.stdout.write(f"{name:45} {figure:>15,}\n")


if __name__ == "__main__":
    main()
