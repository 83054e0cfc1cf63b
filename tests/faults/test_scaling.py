"""Workers that come and go under load, in order and not."""

from pathlib import Path

import pytest

from tests.faults.harness import stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.faults.worker import Worker
from tests.kafka.cluster import Cluster


@pytest.mark.chaos
async def test_two_workers_then_three_then_one(broker: Cluster, tmp_path: Path) -> None:
    async with stage(broker.url, tmp_path) as on:
        first, second, third = (on.worker(name) for name in ("one", "two", "three"))
        first.start()
        second.start()
        await until(lambda: shared_by(first, second), 60, "two workers to share")
        async with loading(on.log, observations(4), rate=400) as load:
            await load.reached(0.2)
            third.start()
            await until(lambda: shared_by(first, second, third), 60, "three workers to share")
            await load.reached(0.5)
            await first.stop()
            await until(lambda: shared_by(second, third), 60, "two of three to share")
            await load.reached(0.7)
            second.kill()
            await until(lambda: shared_by(third), 60, "one worker to have all")
        await on.settled()
        assert len(shares(third)[-1]) == PARTITIONS
        await on.check()


async def test_a_worker_joins_and_another_leaves(broker: Cluster, tmp_path: Path) -> None:
    async with stage(broker.url, tmp_path) as on:
        first, second = on.worker("one"), on.worker("two")
        first.start()
        async with loading(on.log, observations(), rate=300) as load:
            await first.told("tables_restored")
            await load.reached(0.2)
            second.start()
            await until(lambda: shared_by(first, second), 60, "two workers to share")
            await load.reached(0.5)
            await first.stop()
        await on.settled()
        assert shares(second)[-1] == set(range(PARTITIONS))
        await on.check()


def shares(worker: Worker) -> list[set[int]]:
    """The tasks that it was given, each time the group has handed out."""
    return [set(told["active"]) for told in worker.events("tasks_assigned")]


def shared_by(*workers: Worker) -> bool:
    """Whether these have all tasks among them, each one part."""
    given = [shares(worker) for worker in workers]
    if not all(given):
        return False
    newest = [each[-1] for each in given]
    count = sum(map(len, newest))
    return all(newest) and count == PARTITIONS and len(set().union(*newest)) == PARTITIONS
