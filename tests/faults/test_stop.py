"""A worker that is stopped in order under load: soon, with nothing lost and nothing done twice."""

from pathlib import Path
from typing import Any

from streams import topics
from tests.faults.figures import Figures
from tests.faults.harness import stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.kafka.cluster import Cluster

SOON_S = 20.0


async def test_a_stop_under_load_is_quick_and_repeats_nothing(
    broker: Cluster, tmp_path: Path, figures: Figures
) -> None:
    counts: list[dict[str, Any]] = []
    async with stage(broker.url, tmp_path) as on:
        worker = on.worker("one")
        # As fast as it goes: there is always something under way.
        async with loading(on.log, observations(4), rate=4_000):
            for turn in range(3):
                worker.start()
                await worker.told("tables_restored")
                since = await on.committed()
                await on.goes_on(since)
                took_s = await worker.stop()
                figures.note(f"stop {turn + 1} under load", took_s, "s")
                assert took_s < SOON_S
                counts.append(await worker.told("worker_ended"))
        worker.start()
        await on.settled()
        await worker.stop()
        counts.append(await worker.told("worker_ended"))
        assert all(count["updates"] for count in counts[:-1])
        for stage_name, topic in (("updates", topics.UPDATES), ("spikes", topics.WINDOWS)):
            processed = sum(count[stage_name] for count in counts)
            assert processed == await on.messages(topic.name)
        await on.check()
