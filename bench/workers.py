"""What a second worker brings: `python -m bench.workers [--rounds N]`.

Bias and setup: one or two processes with all agents (no history) on a real broker on this machine,
8 partitions, a backlog of frames of 100 counters of 1,000 channels. The clock runs from the moment
when something of every partition is committed, so that forming the group is not in it, until all
is committed; a broker, a group and tables of their own for every run.

This machine has two cores and the broker needs its part of them, so two workers cannot be twice as
fast as one here: by the clock they share what the broker leaves (`most_by_the_cores`: both cores
less the broker's part with two workers, by the core that one worker has to itself), and
`speedup_less_the_broker` is what that is of two whole cores. What adding a worker costs in
efficiency is told by processor time: `speedup_by_processor_time` is twice the work of a processor
second with two workers, by that with one: what machines of their own would give.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import msgspec

from bench.broker import Broker, open_broker
from bench.peers.lap import cpu_of
from bench.pipeline import POSTS, fill
from bench.worker import Worker, topics_of
from streams import topics
from streams.log import Log
from streams.opening import open_log

PARTITIONS = 8
CHANNELS = 1_000
GROUP = "analyticbot"
#: As Kafka comes: members that start together are in the first generation together.
TOGETHER = {"group.initial.rebalance.delay.ms": "3000"}

Figures = dict[str, float]


class Run(msgspec.Struct, frozen=True):
    samples: int
    wall_s: float
    #: Of all workers.
    cpu_s: float
    broker_cpu_s: float


async def run(broker: Broker, folder: Path, count: int, rounds: int) -> Run:
    log = await open_log(broker.url)
    for topic in topics_of(broker.url, PARTITIONS):
        await log.create(topic, PARTITIONS)
    await fill(log, CHANNELS, rounds)
    workers = [Worker(broker.url, folder / str(n), PARTITIONS) for n in range(count)]
    try:
        found = await measured(log, workers, broker)
    finally:
        for worker in workers:
            worker.end()
    await log.close()
    return found


async def measured(log: Log, workers: Sequence[Worker], broker: Broker) -> Run:
    clock = asyncio.get_running_loop().time
    ends = {at: found.next for at, found in (await log.bounds(topics.UPDATES.name)).items()}
    while True:
        done = await log.committed(GROUP)
        if all(done.get(at, 0) for at in ends):
            break
        await asyncio.sleep(0.02)
    began_s, before = clock(), [cpu_of(broker.pid), *(worker.cpu_s for worker in workers)]
    while True:
        if await settled(log):
            break
        await asyncio.sleep(0.02)
    wall_s, after = clock() - began_s, [cpu_of(broker.pid), *(worker.cpu_s for worker in workers)]
    broker_s, *workers_s = (b - a for a, b in zip(before, after, strict=True))
    messages = sum(end - done[at] for at, end in ends.items())
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


def figures(runs: dict[int, list[Run]]) -> Figures:
    named: Figures = {}
    speeds, efficiency, broker = {}, {}, {}
    for count, each in runs.items():
        who = {1: "one_worker", 2: "two_workers"}[count]
        speeds[count] = mean(run.samples / run.wall_s for run in each)
        efficiency[count] = mean(run.samples / run.cpu_s for run in each)
        broker[count] = mean(run.broker_cpu_s / run.wall_s for run in each)
        named |= {
            f"{who}_samples_per_s": speeds[count],
            f"{who}_samples_per_cpu_s": efficiency[count],
            f"{who}_percent_of_a_core": 100 * mean(run.cpu_s / run.wall_s for run in each),
            f"{who}_broker_percent_of_a_core": 100 * broker[count],
        }
    return named | {
        "speedup_by_the_clock": speeds[2] / speeds[1],
        "most_by_the_cores": 2 - broker[2],
        "speedup_less_the_broker": 2 * speeds[2] / speeds[1] / (2 - broker[2]),
        "speedup_by_processor_time": 2 * efficiency[2] / efficiency[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.workers")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each")
    parser.add_argument("--frames", type=int, default=20, help="of each channel")
    chosen = parser.parse_args()
    runs: dict[int, list[Run]] = {1: [], 2: []}
    for number in range(chosen.rounds):
        for count in (1, 2) if number % 2 == 0 else (2, 1):
            with tempfile.TemporaryDirectory() as folder, open_broker(TOGETHER) as broker:
                runs[count].append(asyncio.run(run(broker, Path(folder), count, chosen.frames)))
    for name, figure in figures(runs).items():
        sys.stdout.write(f"{name:45} {figure:>15,.2f}\n")


if __name__ == "__main__":
    main()
