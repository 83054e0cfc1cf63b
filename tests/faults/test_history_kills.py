"""Workers with history agents, killed at random: history holds each thing once."""

import asyncio
import random
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from clickhouse.opening import open_history
from tests.agents.history_told import stored
from tests.faults.clickhouse import ClickHouse
from tests.faults.harness import stage
from tests.faults.history import differences, is_stored, wanted
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.waiting import until
from tests.kafka.cluster import Cluster

LONGEST_S = 5.0


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_twenty_kills_among_two_workers_with_history(broker: Cluster, tmp_path: Path) -> None:
    chance = random.Random(23)
    with ClickHouse(tmp_path / "server") as server:
        store = f"clickhouse://127.0.0.1:{server.port}/analyticbot"
        history = await open_history(store)
        await history.migrate()
        await history.close()
        async with stage(broker.url + "?session_ms=2000", tmp_path) as on:
            workers = [
                on.worker(name, "--history", store, static=name == "one") for name in ("one", "two")
            ]
            for worker in workers:
                worker.start()
            async with loading(on.log, observations(3), rate=150):
                for _ in range(20):
                    await asyncio.sleep(chance.uniform(0.2, LONGEST_S))
                    victim = chance.choice(workers)
                    victim.kill()
                    victim.start()
            await on.settled()
            await on.check()
            await until(lambda: is_stored(on.log), 120, "everything stored")
            rows = await wanted(on.log, tmp_path / "wanted")
            for worker in workers:
                await worker.stop()
        await asyncio.to_thread(server.stop)
        found = differences(stored(server.folder), rows)
        assert not found, "\n".join(found)
        assert all(rows[table] for table in ("post_samples", "windows", "channel_hourly"))
