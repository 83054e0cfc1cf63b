"""A worker that is stopped in order under load: soon, with nothing lost and nothing done twice."""

from pathlib import Path

import pytest

from tests.faults.figures import Figures
from tests.faults.harness import stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.worker import STOP_S
from tests.kafka.cluster import Cluster


@pytest.mark.chaos
async def test_a_stop_under_load_is_quick_and_repeats_nothing(
    broker: Cluster, tmp_path: Path, figures: Figures
) -> None:
    async with stage(broker.url, tmp_path) as on:
        worker = on.worker("one")
        # As fast as it goes: there is always something under way.
        async with loading(on.log, observations(4)[:12_000], rate=4_000):
            for turn in range(4):
                worker.start()
                await worker.told("tables_restored")
                since = await on.committed()
                await on.goes_on(since)
                took_s = await worker.stop()
                figures.note(f"stop {turn + 1} under load", took_s, "s")
                assert took_s < STOP_S
                ended = await worker.told("worker_ended")
                assert ended["updates"] > 0
        worker.start()
        await on.settled()
        await worker.stop()
        await on.check_processed_once()
        await on.check()
