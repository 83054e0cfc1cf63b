"""The harness sees what it has to see: a run without faults is right, and a difference is told."""

from pathlib import Path

import msgspec

from tests.faults.harness import stage
from tests.faults.left import differences, left_in
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.kafka.cluster import Cluster


async def test_without_faults_the_pipeline_leaves_what_the_pure_steps_make(
    broker: Cluster, tmp_path: Path
) -> None:
    async with stage(broker.url, tmp_path) as on:
        worker = on.worker("one")
        worker.start()
        await worker.told("tables_restored")
        async with loading(on.log, observations()[:1_500], rate=2_000):
            pass
        await on.settled()
        await on.check()
        await worker.stop()
        await on.check_processed_once()
        left = await left_in(on.log, on.group)
        for at, messages in left.outputs.items():
            if messages:
                twice = {**left.outputs, at: [*messages, messages[-1]]}
                assert differences(msgspec.structs.replace(left, outputs=twice), left) != []
        for table, rows in left.tables.items():
            fewer = {**left.tables, table: dict(list(rows.items())[1:])}
            assert len(differences(msgspec.structs.replace(left, tables=fewer), left)) == 1
