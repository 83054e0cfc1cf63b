"""Workers that come and go under load, in order and not."""

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from tests.faults.figures import Figures
from tests.faults.harness import stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.worker import STOP_S
from tests.kafka.cluster import Cluster


@pytest.mark.chaos
async def test_two_workers_then_three_then_one(broker: Cluster, tmp_path: Path) -> None:
    async with stage(broker.url, tmp_path) as on:
        first, second, third = (on.worker(name) for name in ("one", "two", "three"))
        first.start()
        second.start()
        await on.shared(first, second)
        async with loading(on.log, observations(4), rate=400) as load:
            await load.reached(0.2)
            third.start()
            await on.shared(first, second, third)
            await load.reached(0.5)
            await first.stop()
            await on.shared(second, third)
            await load.reached(0.7)
            second.kill()
            await on.shared(third)
        await on.settled()
        assert len(third.assignments()[-1]) == PARTITIONS
        await on.check()


async def test_a_worker_joins_and_another_leaves(
    broker: Cluster, tmp_path: Path, figures: Figures
) -> None:
    async with stage(broker.url, tmp_path) as on:
        first, second = on.worker("one"), on.worker("two")
        first.start()
        async with loading(on.log, observations(4)[:1_800], rate=300) as load:
            await first.told("tables_restored")
            await load.reached(0.2)
            second.start()
            await on.shared(first, second)
            await load.reached(0.5)
            took_s = await first.stop()
            figures.note("stop under load", took_s, "s")
            assert took_s < STOP_S
        await on.shared(second)
        await on.settled()
        await second.stop()
        await on.check_processed_once()
        assert second.assignments()[-1] == set(range(PARTITIONS))
        await on.check()


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_a_worker_that_comes_and_goes_all_the_time(broker: Cluster, tmp_path: Path) -> None:
    """Tables are being read, or tasks shut out, when the group hands out again."""
    chance = random.Random(15)
    async with stage(broker.url, tmp_path) as on:
        stays, second, third = (on.worker(name) for name in ("stays", "second", "third"))
        stays.start()
        await stays.told("tables_restored")
        async with loading(on.log, observations(6), rate=300):
            for turn in range(16):
                restless = (second, third)[turn % 2]
                if restless.running:
                    await restless.stop()
                    if turn % 3 == 0:
                        shutil.rmtree(restless.tables)
                restless.start()
                await asyncio.sleep(chance.uniform(0.5, 3.0))
        await on.settled()
        await on.check()
        for worker in on.workers:
            await worker.stop()
