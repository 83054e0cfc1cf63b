"""Who goes on when a worker is gone, after how long, and how much it has to read for that."""

from pathlib import Path

import pytest

from tests.faults.figures import Figures
from tests.faults.harness import Stage, stage
from tests.faults.left import TABLES, changelog
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.faults.worker import Worker
from tests.kafka.cluster import Cluster
from tests.patience import PATIENCE_S


async def test_another_worker_goes_on_with_warm_tables(
    broker: Cluster, tmp_path: Path, figures: Figures
) -> None:
    async with stage(broker.url, tmp_path) as on:
        victim, other = on.worker("victim"), on.worker("other")
        victim.start()
        other.start()
        await on.shared(victim, other)
        async with loading(on.log, observations(4)[:2_400], rate=300) as load:
            await load.reached(0.5)
            before = await rows_written(on)
            tasks, since = victim.assignments()[-1], await on.committed()
            victim.kill()
            took_s = await until(lambda: on.moved(tasks, since), PATIENCE_S, "the tasks to go on")
            figures.note("kill -9 to the first commit of every task elsewhere", took_s, "s")
        restored = await other.told("tables_restored", 2)
        assert set(restored["tasks"]) == tasks
        figures.note("records read by the standby", restored["records"], f"of {before}")
        assert before > 1_000
        assert restored["records"] < before / 20
        await on.settled()
        await on.check()


@pytest.mark.chaos
async def test_a_quick_restart_with_an_instance_moves_no_task(
    broker: Cluster, tmp_path: Path
) -> None:
    async with stage(broker.url, tmp_path) as on:
        worker, other = on.worker("one", static=True), on.worker("two", static=True)
        worker.start()
        other.start()
        await on.shared(worker, other)
        had, given = worker.assignments()[-1], len(other.assignments())
        async with loading(on.log, observations(4)[:3_000], rate=300) as load:
            for end, share in ((kill, 0.2), (stop, 0.6)):
                await load.reached(share)
                await end(worker)
                worker.start()
                await worker.told("tables_restored")
                assert worker.assignments() == [had]
        await on.settled()
        assert len(other.assignments()) == given
        assert other.assignments()[-1] == set(range(PARTITIONS)) - had
        await on.check()


async def kill(worker: Worker) -> None:
    worker.kill()


async def stop(worker: Worker) -> None:
    await worker.stop()


async def rows_written(on: Stage) -> int:
    counts = [await on.messages(changelog(on.group, table)) for table in TABLES]
    return sum(counts)
