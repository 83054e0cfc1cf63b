"""ClickHouse away for a long time under workers on Kafka: they go on, and history catches up."""

import asyncio
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
from tests.faults.proxy import Proxy
from tests.faults.waiting import until
from tests.kafka.cluster import Cluster


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_away_for_minutes_while_messages_flow(broker: Cluster, tmp_path: Path) -> None:
    with ClickHouse(tmp_path / "server") as server, Proxy(server.port) as proxy:
        url = f"clickhouse://127.0.0.1:{proxy.port}/analyticbot"
        history = await open_history(url)
        await history.migrate()
        await history.close()
        async with stage(broker.url, tmp_path) as on:
            workers = [on.worker(name, "--history", url) for name in ("one", "two")]
            for worker in workers:
                worker.start()
            await on.shared(*workers)
            async with loading(on.log, observations(3), rate=80) as load:
                await load.reached(0.1)
                await asyncio.to_thread(server.kill)
                # For a hundred seconds; what flows meanwhile is committed all the same.
                for share in (0.3, 0.6, 0.9):
                    since = sum((await on.committed()).values())
                    await load.reached(share)
                    assert sum((await on.committed()).values()) > since
                assert not await is_stored(on.log)
                await asyncio.to_thread(server.start)
                proxy.lose_answers(3)
            await on.settled()
            await on.check()
            await until(lambda: is_stored(on.log), 120, "everything stored")
            rows = await wanted(on.log, tmp_path / "wanted")
            for worker in workers:
                await worker.stop()
        await asyncio.to_thread(server.stop)
        assert differences(stored(server.folder), rows) == []
