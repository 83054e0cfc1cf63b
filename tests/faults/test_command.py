"""The real `analyticbot work`, twice, beside a ClickHouse server: killed and stopped under load."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from streams.topics import AGENTS
from tests.agents.history_told import stored
from tests.analyticbot.command import COMMAND, environment, run
from tests.faults.clickhouse import ClickHouse
from tests.faults.figures import Figures
from tests.faults.harness import Stage, stage
from tests.faults.history import differences, is_stored, wanted
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.faults.worker import STOP_S, Worker
from tests.kafka.cluster import Cluster
from tests.kafka.ports import free_ports


class Command(Worker):
    """A process as an operator starts it."""

    RUNS = "tables_restored"

    def __init__(self, name: str, on: Stage, store: str) -> None:
        self.data = on.folder / name
        self.data.mkdir()
        super().__init__(name, on.folder, on.url, tables=self.data / "tables")
        [port] = free_ports(1)
        self.variables: dict[str, Any] = {
            "ANALYTICBOT_LOG": on.url,
            "ANALYTICBOT_HISTORY": store,
            "ANALYTICBOT_PARTITIONS": str(PARTITIONS),
            "ANALYTICBOT_INSTANCE": name,
            "ANALYTICBOT_PORT": str(port),
            "ANALYTICBOT_LOG_FORMAT": "json",
        }
        self.environment = environment(self.data, **self.variables)
        on.workers.append(self)

    def command(self) -> Sequence[str]:
        return [COMMAND, "work"]

    def doing(self) -> str:
        return self.said()


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_two_workers_of_a_cluster_are_killed_and_stopped(
    broker: Cluster, tmp_path: Path, figures: Figures
) -> None:
    with ClickHouse(tmp_path / "server") as server:
        async with stage(broker.url, tmp_path, AGENTS) as on:
            store = f"clickhouse://127.0.0.1:{server.port}/analyticbot"
            one, two = Command("one", on, store), Command("two", on, store)
            migrated = run(one.data, "migrate", **one.variables)
            assert migrated.returncode == 0, migrated.stderr
            one.start()
            two.start()
            await on.shared(one, two)
            async with loading(on.log, observations(3), rate=200) as load:
                for share in (0.1, 0.3, 0.5, 0.7):
                    await load.reached(share)
                    one.kill()
                    one.start()
                    await load.reached(share + 0.1)
                    await two.told("tables_restored")
                    took_s = await two.stop()
                    figures.note("`analyticbot work` stopped under load", took_s, "s")
                    assert took_s < STOP_S
                    two.start()
            await on.settled()
            await on.check()
            await until(lambda: is_stored(on.log), 120, "everything stored")
            rows = await wanted(on.log, tmp_path / "wanted")
            for worker in (one, two):
                await worker.stop()
        await asyncio.to_thread(server.stop)
        found = differences(stored(server.folder), rows)
        assert not found, "\n".join(found)
