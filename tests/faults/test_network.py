"""The network between workers and the broker, cut, silent, slow and half closed, under load."""

import random
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.faults import network
from tests.faults.harness import Stage, stage
from tests.faults.load import loading
from tests.faults.network import Far, far_broker
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.faults.worker import Worker


@pytest.fixture
def far() -> Iterator[Far]:
    with far_broker() as far:
        yield far


def tasks_of(worker: Worker) -> list[int]:
    """What it was handed last."""
    handed = worker.events("tasks_assigned")
    return list(handed[-1]["active"]) if handed else []


async def shared(on: Stage, *workers: Worker) -> None:
    """Returns when each of the workers has some of the tasks."""

    def each_has_some() -> bool:
        for worker in workers:
            worker.check()
        handed = [tasks_of(worker) for worker in workers]
        return all(handed) and sorted(chain(*handed)) == [*range(PARTITIONS)]

    await until(each_has_some, 60, "tasks shared")


@pytest.mark.parametrize("fault", ["cut", "half_close"])
async def test_connections_that_end_move_nothing(far: Far, tmp_path: Path, fault: str) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        worker = on.worker("far", url=far.url)
        worker.start()
        await worker.told("tables_restored")
        async with loading(on.log, observations(), rate=1_000) as load:
            for share in (0.2, 0.5, 0.8):
                await load.reached(share)
                getattr(far.proxy, fault)()
        await on.settled()
        await on.check()
        assert len(worker.events("tasks_assigned")) == 1
        await worker.stop()


@pytest.mark.parametrize("fault", ["black_hole", "go_away"])
async def test_longer_than_the_session_its_tasks_go_and_come_back(
    far: Far, tmp_path: Path, fault: str
) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        near, worker = on.worker("near"), on.worker("far", url=far.url)
        near.start()
        worker.start()
        await shared(on, near, worker)
        async with loading(on.log, observations(3), rate=400) as load:
            await load.reached(0.2)
            getattr(far.proxy, fault)()
            await until(
                lambda: len(tasks_of(near)) == PARTITIONS, 60, "all tasks at the near worker"
            )
            await load.reached(0.6)
            far.proxy.resume()
            await shared(on, near, worker)
        await on.settled()
        await on.check()
        await worker.stop()
        await near.stop()


async def test_a_slow_network_changes_nothing(far: Far, tmp_path: Path) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        worker = on.worker("far", url=far.url)
        far.proxy.delay(0.3, jitter_s=0.1)
        worker.start()
        await worker.told("tables_restored")
        async with loading(on.log, observations(), rate=1_000):
            pass
        await on.settled()
        await on.check()
        assert len(worker.events("tasks_assigned")) == 1
        await worker.stop()


async def test_many_short_cuts(far: Far, tmp_path: Path) -> None:
    moments = random.Random(11)
    async with stage(far.cluster.url, tmp_path) as on:
        near, worker = on.worker("near"), on.worker("far", url=far.url)
        near.start()
        worker.start()
        await shared(on, near, worker)
        async with loading(on.log, observations(2), rate=400) as load:
            for share in sorted(moments.uniform(0.02, 1) for _ in range(60)):
                await load.reached(share)
                far.proxy.cut()
        await on.settled()
        await on.check()
        await worker.stop()
        await near.stop()


LOST = {
    "produce": network.PRODUCE,
    "add_partitions": network.ADD_PARTITIONS,
    "add_offsets": network.ADD_OFFSETS,
    "commit_offsets": network.COMMIT_OFFSETS,
    "end_transaction": network.END_TRANSACTION,
}


@pytest.mark.parametrize("kind", LOST)
async def test_an_answer_that_is_lost_in_a_commit(far: Far, tmp_path: Path, kind: str) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        worker = on.worker("far", url=far.url)
        worker.start()
        await worker.told("tables_restored")
        async with loading(on.log, observations(), rate=1_000) as load:
            for count in range(1, 6):
                await load.reached(count / 6)
                far.proxy.lose_answers(asked=network.asks(LOST[kind]))
                await until(lambda: far.proxy.lost >= count, 30, "an answer lost")  # noqa: B023
        await on.settled()
        await on.check()
        await worker.stop()
