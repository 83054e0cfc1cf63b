"""What a second worker brings: `python -m bench.workers [--rounds N]`.

Bias and setup: one or two processes with all agents (no history) on a real broker on this machine,
8 partitions, a backlog of frames of 100 counters of 1,000 channels. The clock runs from the moment
when something of every partition is committed, so that forming the group is not in it, until all
is committed; a broker, a group and tables of their own for every run.

This machine has two cores and the broker needs its part of them: by the clock two workers share
what the broker leaves. `most_by_the_cores` is what would come of that if a processor second did the
same work in both runs: both cores less the broker's part with two workers, by what one worker used.
A backlog that is too short measures its end: the last windows pass through two commits.

So it is asked a second time in a way that this machine can answer: every worker gets two fifths of
a core, alone as beside another (a quota of the kernel, from the beginning of the clock), which
leaves the broker all it asks for in both runs. That is what a second machine brings to a broker
with room left: `speedup_with_a_quota_each`. What the quotas do not part is what both cores share,
memory and caches, which is to the disadvantage of two. Without the right to make control groups
(root) these figures are missing.

`speedup_by_processor_time` is twice the work of a processor second with two workers, by that with
one, without quotas. It may be more than two, each having half of the tasks and of their rows; what
of that saves the time has not been looked into.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from statistics import mean

import msgspec

from bench.broker import Broker, open_broker
from bench.peers.lap import cpu_of
from bench.pipeline import POSTS, fill
from bench.quota import NoQuota, quota
from bench.worker import Worker, topics_of
from streams import topics
from streams.log import Log
from streams.opening import open_log

PARTITIONS = 8
CHANNELS = 1_000
GROUP = "analyticbot"
#: Of a core, for each worker: two of them and the broker's part are less than two cores.
QUOTA = 0.4
#: As Kafka comes: members that start together are in the first generation together.
TOGETHER = {"group.initial.rebalance.delay.ms": "3000"}

Figures = dict[str, float]


class Run(msgspec.Struct, frozen=True):
    samples: int
    wall_s: float
    #: Of all workers.
    cpu_s: float
    broker_cpu_s: float


async def run(
    broker: Broker, folder: Path, count: int, rounds: int, cores: float | None = None
) -> Run:
    """`cores`: that a worker gets at most; None: what it can get. Raises NoQuota."""
    log = await open_log(broker.url)
    for topic in topics_of(broker.url, PARTITIONS):
        await log.create(topic, PARTITIONS)
    await fill(log, CHANNELS, rounds)
    workers = [Worker(broker.url, folder / str(n), PARTITIONS) for n in range(count)]
    try:
        found = await measured(log, workers, broker, cores)
    finally:
        for worker in workers:
            worker.end()
    await log.close()
    return found


async def measured(log: Log, workers: Sequence[Worker], broker: Broker, cores: float | None) -> Run:
    ends = {at: found.next for at, found in (await log.bounds(topics.UPDATES.name)).items()}
    while True:
        done = await log.committed(GROUP)
        if all(done.get(at, 0) for at in ends):
            break
        await asyncio.sleep(0.02)
    with limited(workers, cores):
        return await clocked(log, workers, broker)


@contextmanager
def limited(workers: Sequence[Worker], cores: float | None) -> Iterator[None]:
    with ExitStack() as quotas:
        for worker in workers:
            if cores is not None:
                quotas.enter_context(quota(worker.pid, cores))
        yield


async def clocked(log: Log, workers: Sequence[Worker], broker: Broker) -> Run:
    """What is left of the backlog, from now on."""
    clock = asyncio.get_running_loop().time
    ends = {at: found.next for at, found in (await log.bounds(topics.UPDATES.name)).items()}
    done = await log.committed(GROUP)
    began_s, before = clock(), [cpu_of(broker.pid), *(worker.cpu_s for worker in workers)]
    while True:
        if await settled(log):
            break
        await asyncio.sleep(0.02)
    wall_s, after = clock() - began_s, [cpu_of(broker.pid), *(worker.cpu_s for worker in workers)]
    broker_s, *workers_s = (b - a for a, b in zip(before, after, strict=True))
    messages = sum(end - done.get(at, 0) for at, end in ends.items())
    return Run(messages * POSTS, wall_s, sum(workers_s), broker_s)


async def settled(log: Log) -> bool:
    """Whether all that is in the log is processed and committed."""
    # In this order: what is committed by now is behind ends that are looked up later.
    done = await log.committed(GROUP)
    for name in (topics.UPDATES.name, topics.WINDOWS.name):
        for at, found in (await log.bounds(name)).items():
            if done.get(at, 0) < found.next:
                return False
    return True


def figures(runs: dict[int, list[Run]], limited_runs: dict[int, list[Run]]) -> Figures:
    free, parted = Means.of(runs), Means.of(limited_runs)
    named = free.told("")
    named |= {
        "speedup_by_the_clock": free.speed[2] / free.speed[1],
        "most_by_the_cores": (2 - free.broker[2]) / free.workers[1],
        "speedup_by_processor_time": 2 * free.efficiency[2] / free.efficiency[1],
    }
    if parted.speed:
        named |= parted.told("_with_a_quota_each")
        named["speedup_with_a_quota_each"] = parted.speed[2] / parted.speed[1]
    return named


class Means(msgspec.Struct, frozen=True):
    """Over the runs with one worker, and with two."""

    #: Samples a second, and a processor second of the workers.
    speed: dict[int, float]
    efficiency: dict[int, float]
    #: Cores.
    workers: dict[int, float]
    broker: dict[int, float]

    @classmethod
    def of(cls, runs: dict[int, list[Run]]) -> "Means":
        made = {count: each for count, each in runs.items() if each}
        return cls(
            {n: mean(run.samples / run.wall_s for run in each) for n, each in made.items()},
            {n: mean(run.samples / run.cpu_s for run in each) for n, each in made.items()},
            {n: mean(run.cpu_s / run.wall_s for run in each) for n, each in made.items()},
            {n: mean(run.broker_cpu_s / run.wall_s for run in each) for n, each in made.items()},
        )

    def told(self, how: str) -> Figures:
        named: Figures = {}
        for count, who in ((1, "one_worker"), (2, "two_workers")):
            named |= {
                f"{who}{how}_samples_per_s": self.speed[count],
                f"{who}{how}_samples_per_cpu_s": self.efficiency[count],
                f"{who}{how}_percent_of_a_core": 100 * self.workers[count],
                f"{who}{how}_broker_percent_of_a_core": 100 * self.broker[count],
            }
        return named


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.workers")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each")
    parser.add_argument("--frames", type=int, default=40, help="of each channel")
    chosen = parser.parse_args()
    runs: dict[float | None, dict[int, list[Run]]] = {None: {1: [], 2: []}, QUOTA: {1: [], 2: []}}
    for number in range(chosen.rounds):
        for cores, count in product(runs, (1, 2) if number % 2 == 0 else (2, 1)):
            with tempfile.TemporaryDirectory() as folder, open_broker(TOGETHER) as broker:
                try:
                    found = asyncio.run(run(broker, Path(folder), count, chosen.frames, cores))
                except NoQuota as error:
                    sys.stderr.write(f"left out: {error}\n")
                else:
                    runs[cores][count].append(found)
    for name, figure in figures(runs[None], runs[QUOTA]).items():
        sys.stdout.write(f"{name:55} {figure:>15,.2f}\n")


if __name__ == "__main__":
    main()
