"""A worker that is held for longer than its session: its tasks move, and it does no harm."""

import random
from pathlib import Path

import pytest

from tests.faults.harness import Stage, stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.faults.worker import Worker
from tests.kafka.cluster import Cluster
from tests.patience import PATIENCE_S

SESSION = "?session_ms=2000"


async def test_a_held_worker_changes_nothing_and_comes_back(
    broker: Cluster, tmp_path: Path
) -> None:
    async with stage(broker.url + SESSION, tmp_path) as on:
        held, other = on.worker("held"), on.worker("other")
        held.start()
        other.start()
        await on.shared(held, other)
        async with loading(on.log, observations(4)[:2_400], rate=400) as load:
            await load.reached(0.2)
            await hold(on, held, other)
        await on.settled()
        await on.check()
        await held.stop()
        await other.stop()


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("static", [False, True], ids=["by session", "with instances"])
async def test_workers_held_in_turn(broker: Cluster, tmp_path: Path, *, static: bool) -> None:
    chance = random.Random(8)
    async with stage(broker.url + SESSION, tmp_path) as on:
        workers = [on.worker(name, static=static) for name in ("one", "two")]
        for worker in workers:
            worker.start()
        await on.shared(*workers)
        async with loading(on.log, observations(8), rate=400) as load:
            for turn in range(8):
                await load.reached(turn / 10 + chance.uniform(0.01, 0.09))
                await hold(on, *(workers if turn % 2 else workers[::-1]))
        await on.settled()
        await on.check()


async def hold(on: Stage, held: Worker, other: Worker) -> None:
    """Until the other has its tasks and has gone on with them; then until both share again."""
    tasks, since = held.assignments()[-1], await on.committed()
    held.hold()
    await until(
        lambda: other.assignments()[-1] == set(range(PARTITIONS)),
        PATIENCE_S,
        "the other to have all",
    )
    await until(lambda: on.moved(tasks, since), PATIENCE_S, "the other to go on")
    held.go_on()
    await on.shared(held, other)
