"""kill -9 of a worker at random, again and again: nothing lost, doubled or changed."""

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from tests.faults.harness import Stage, stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.worker import Worker
from tests.kafka.cluster import Cluster

#: From the start of a process: while it joins, takes over, reads tables, works and commits.
LONGEST_S = 4.0


async def test_a_worker_killed_again_and_again_loses_nothing(
    broker: Cluster, tmp_path: Path
) -> None:
    async with stage(broker.url, tmp_path) as on:
        async with loading(on.log, observations(4)[:1_800], rate=300) as load:
            await load.reached(0.05)
            worker = on.worker("one", static=True)
            await kill_at_random(worker, kills=3, seed=3)
        await end_well(on, worker)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("disk", ["kept", "lost", "lost at times"])
async def test_twenty_kills_of_a_worker(broker: Cluster, tmp_path: Path, disk: str) -> None:
    lost = {"kept": 0.0, "lost": 1.0, "lost at times": 0.4}[disk]
    async with stage(broker.url, tmp_path) as on:
        async with loading(on.log, observations(6), rate=300):
            worker = on.worker("one", static=True)
            await kill_at_random(worker, kills=20, seed=20, lost=lost)
        await end_well(on, worker)


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_twenty_kills_among_three_workers(broker: Cluster, tmp_path: Path) -> None:
    chance = random.Random(21)
    async with stage(broker.url + "?session_ms=2000", tmp_path) as on:
        workers = [on.worker(name, static=name == "one") for name in ("one", "two", "three")]
        for worker in workers:
            worker.start()
        async with loading(on.log, observations(6), rate=300):
            for worker in workers:
                await worker.told("tables_restored")
            for _ in range(20):
                await asyncio.sleep(chance.uniform(0.2, LONGEST_S))
                victim = chance.choice(workers)
                victim.kill()
                victim.start()
        await on.settled()
        await on.check()


async def kill_at_random(worker: Worker, kills: int, seed: int, lost: float = 0.0) -> None:
    """`lost`: the share of kills at which its disk is gone as well."""
    chance = random.Random(seed)
    for _ in range(kills):
        worker.start()
        await worker.told("worker_starts")
        # Random, and so not to be waited for: what is tested is that no moment matters.
        await asyncio.sleep(chance.uniform(0.1, LONGEST_S))
        worker.kill()
        if chance.random() < lost:
            shutil.rmtree(worker.tables, ignore_errors=True)


async def end_well(on: Stage, worker: Worker) -> None:
    worker.start()
    await on.settled()
    await worker.stop()
    await on.check()
