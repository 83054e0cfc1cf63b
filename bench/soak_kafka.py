"""Memory and lag under a steady load: `python -m bench.soak_kafka [--seconds 3600] [--rate 60000]`.

Bias and setup: one worker process with all agents, and history in chDB, on a real broker on this
machine, 8 partitions; another process appends frames of 100 counters of 1,000 channels at a steady
rate of samples, by default at half of what one worker was measured to manage on two cores (the
pipeline on Kafka). Event time runs ahead of the clock: a minute with every frame of a channel, so
an hour is a day and a half. Lag is of messages of telegram.updates that are
appended and not committed as processed, looked at every few seconds, in seconds of the load (so
it is never quite nothing while the load runs); `caught_up_s` is how long after the load's end
everything is committed. Resident memory as for the demo, the broker's (a JVM, which takes what it
is given) beside it; single samples differ by 50 MiB, so means of sixths of the run are compared.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, quantiles

from bench.broker import Broker, open_broker
from bench.peers.lap import cpu_of
from bench.pipeline import POSTS, Channel, draft
from bench.soak import memory_mib
from bench.worker import Worker, topics_of
from bench.workers import GROUP, settled
from streams import topics
from streams.events import CountersSampled
from streams.log import Log
from streams.opening import open_log

PARTITIONS = 8
CHANNELS = 1_000
EVERY_S = 5.0
TURN_S = 0.1
#: Kept of each partition of each topic.
KEPT_MIB = 256
WARM_S = 60.0


class Load:
    """Frames at a steady rate, from a world whose counters grow."""

    def __init__(self, log: Log, rate: float) -> None:
        self._log = log
        self._frames_per_s = rate / POSTS
        chance = random.Random(7)
        self._world = [Channel(1 + number, chance) for number in range(CHANNELS)]
        self.appended = 0

    async def begin(self) -> None:
        """Every channel is seen once."""
        for start in range(0, CHANNELS, 500):
            await self._log.append([draft(each.seen()) for each in self._world[start:][:500]])

    async def run(self, seconds: float) -> None:
        """What is due and could not be appended in time is appended later."""
        began_s = time.monotonic()
        while (at_s := time.monotonic() - began_s) < seconds:
            due = round(at_s * self._frames_per_s) - self.appended
            if due > 0:
                await self._log.append([draft(self._next()) for _ in range(min(due, 500))])
            else:
                await asyncio.sleep(TURN_S)

    def _next(self) -> CountersSampled:
        number, channel = divmod(self.appended, CHANNELS)
        self.appended += 1
        return self._world[channel].sampled(number)


async def lag(log: Log) -> int:
    """Messages that are appended and not processed."""
    committed = await log.committed(GROUP)
    bounds = await log.bounds(topics.UPDATES.name)
    return sum(max(0, found.next - committed.get(at, 0)) for at, found in bounds.items())


async def measure(broker: Broker, folder: Path, seconds: float, rate: float) -> dict[str, object]:
    log = await open_log(broker.url)
    for topic in topics_of(broker.url, PARTITIONS, KEPT_MIB):
        await log.create(topic, PARTITIONS)
    worker = Worker(broker.url, folder, PARTITIONS, "--history")
    try:
        return await watched(log, worker, broker, seconds, rate)
    finally:
        worker.end()
        await log.close()


async def watched(
    log: Log, worker: Worker, broker: Broker, seconds: float, rate: float
) -> dict[str, object]:
    load = Load(log, rate)
    await load.begin()
    began_s = time.monotonic()
    before = worker.cpu_s, cpu_of(broker.pid)
    running = asyncio.create_task(load.run(seconds))
    curve: list[tuple[int, int]] = []
    lags: list[float] = []
    while not running.done():
        at_s = time.monotonic() - began_s
        curve.append((round(at_s), worker.memory_mib("VmRSS")))
        if at_s > min(WARM_S, seconds / 2):
            lags.append(await lag(log) * POSTS / rate)
        await asyncio.wait([running], timeout=EVERY_S)
    await running
    took_s = time.monotonic() - began_s
    used = worker.cpu_s - before[0], cpu_of(broker.pid) - before[1]
    while True:
        if await settled(log):
            break
        await asyncio.sleep(0.02)
    caught_up_s = time.monotonic() - began_s - took_s
    return {
        "seconds": round(took_s),
        "samples_per_s": round(load.appended * POSTS / took_s),
        "lag_median_s": round(quantiles(lags, n=100)[49], 2),
        "lag_p99_s": round(quantiles(lags, n=100)[98], 2),
        "caught_up_s": round(caught_up_s, 2),
        "worker_percent_of_a_core": round(100 * used[0] / took_s),
        "broker_percent_of_a_core": round(100 * used[1] / took_s),
        "memory_high_mib": max(memory for _, memory in curve),
        "memory_end_mib": curve[-1][1],
        "memory_end_anonymous_mib": worker.memory_mib("RssAnon"),
        **sixths(curve),
        "broker_memory_mib": memory_mib(broker.pid, "VmRSS") if broker.pid else 0,
        "curve": curve,
    }


def sixths(curve: list[tuple[int, int]]) -> dict[str, int]:
    """The second is the first that has no start in it."""
    size = max(len(curve) // 6, 1)
    return {
        "memory_second_sixth_mean_mib": round(mean(memory for _, memory in curve[size:][:size])),
        "memory_last_sixth_mean_mib": round(mean(memory for _, memory in curve[-size:])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.soak_kafka")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=60_000, help="samples a second")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_broker() as broker:
        run = measure(broker, Path(folder), chosen.seconds, chosen.rate)
        sys.stdout.write(json.dumps(asyncio.run(run)) + "\n")


if __name__ == "__main__":
    main()
