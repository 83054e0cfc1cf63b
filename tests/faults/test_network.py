"""The network between workers and the broker, cut, silent, slow and half closed, under load."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import network
from tests.faults.harness import stage
from tests.faults.load import loading
from tests.faults.network import Far, far_broker
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.patience import PATIENCE_S

#: What a commit asks brokers, in its order.
COMMIT = {
    "add_partitions": network.ADD_PARTITIONS,
    "produce": network.PRODUCE,
    "add_offsets": network.ADD_OFFSETS,
    "commit_offsets": network.COMMIT_OFFSETS,
    "end_transaction": network.END_TRANSACTION,
}
ALL_TASKS = set(range(PARTITIONS))


@pytest.fixture
def far() -> Iterator[Far]:
    with far_broker() as far:
        yield far


async def test_what_ends_connections_changes_and_moves_nothing(far: Far, tmp_path: Path) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        worker = on.worker("far", url=far.url)
        worker.start()
        await worker.told("tables_restored")
        drafts = observations()
        async with loading(on.log, drafts[:1_500], rate=500) as load:
            await load.reached(0.2)
            far.proxy.cut()
            await load.reached(0.6)
            far.proxy.half_close()
        # Something to commit comes after each fault, however fast the worker is.
        later = (drafts[1_500:1_650], drafts[1_650:1_800])
        for count, kind in enumerate((network.PRODUCE, network.END_TRANSACTION), 1):
            far.proxy.lose_answers(asked=network.asks(kind))
            await on.log.append(later[count - 1])
            await until(lambda: far.proxy.lost == count, PATIENCE_S, "an answer lost")  # noqa: B023
        await on.settled()
        await on.check()
        assert worker.assignments() == [ALL_TASKS]
        await worker.stop()


@pytest.mark.chaos
@pytest.mark.parametrize("fault", ["black_hole", "go_away"])
async def test_longer_than_the_session_tasks_go_and_come_back(
    far: Far, tmp_path: Path, fault: str
) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        near, worker = on.worker("near"), on.worker("far", url=far.url)
        near.start()
        worker.start()
        await on.shared(near, worker)
        async with loading(on.log, observations(3), rate=300) as load:
            await load.reached(0.2)
            getattr(far.proxy, fault)()
            await until(lambda: near.assignments()[-1] == ALL_TASKS, PATIENCE_S, "tasks to go")
            await load.reached(0.6)
            far.proxy.resume()
            await on.shared(near, worker)
        await on.settled()
        await on.check()
        await worker.stop()
        await near.stop()


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_300_ms_each_way_change_and_move_nothing(far: Far, tmp_path: Path) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        worker = on.worker("far", url=far.url)
        far.proxy.delay(0.3)
        worker.start()
        await worker.told("tables_restored")
        async with loading(on.log, observations(), rate=100):
            pass
        await on.settled(300)
        await on.check()
        assert worker.assignments() == [ALL_TASKS]
        await worker.stop()


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(3))
async def test_many_short_cuts(far: Far, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with stage(far.cluster.url, tmp_path) as on:
        near, worker = on.worker("near"), on.worker("far", url=far.url)
        far.proxy.delay(0.0, jitter_s=0.02)
        near.start()
        worker.start()
        await on.shared(near, worker)
        async with loading(on.log, observations(2), rate=200) as load:
            for share in sorted(chance.uniform(0.02, 1) for _ in range(80)):
                await load.reached(share)
                chance.choice([far.proxy.cut, far.proxy.half_close])()
        await on.settled()
        await on.check()
        await worker.stop()
        await near.stop()


@pytest.mark.chaos
@pytest.mark.parametrize("after_bytes", [0, 9])
async def test_answers_that_are_lost_in_commits(far: Far, tmp_path: Path, after_bytes: int) -> None:
    async with stage(far.cluster.url, tmp_path) as on:
        worker = on.worker("far", url=far.url)
        worker.start()
        await worker.told("tables_restored")
        kinds = [kind for kind in COMMIT.values() for _ in range(4)]
        async with loading(on.log, observations(2), rate=200) as load:
            for count, kind in enumerate(kinds, 1):
                await load.reached(count / (len(kinds) + 1))
                far.proxy.lose_answers(asked=network.asks(kind), after_bytes=after_bytes)
                await until(lambda: far.proxy.lost == count, PATIENCE_S, "an answer lost")  # noqa: B023
        await on.settled()
        await on.check()
        await worker.stop()
