"""Workers that come and go under load, in order and not."""

from pathlib import Path

import pytest

from tests.faults.harness import stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
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
        assert len(third.shares()[-1]) == PARTITIONS
        await on.check()


async def test_a_worker_joins_and_another_leaves(broker: Cluster, tmp_path: Path) -> None:
    async with stage(broker.url, tmp_path) as on:
        first, second = on.worker("one"), on.worker("two")
        first.start()
        async with loading(on.log, observations(4)[:4_000], rate=300) as load:
            await first.told("tables_restored")
            await load.reached(0.2)
            second.start()
            await on.shared(first, second)
            await load.reached(0.5)
            await first.stop()
        await on.settled()
        assert second.shares()[-1] == set(range(PARTITIONS))
        await on.check()
