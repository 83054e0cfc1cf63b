"""Timers and settings on Kafka: after kill -9 of workers, what is left is what the log says."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.pipeline import INPUTS
from agents.spikes.rule import LEAST
from streams.broadcasts import SettingChanged
from streams.codec import encode
from streams.ids import ChannelId
from streams.log import Draft, Record
from streams.topics import ALERTS, CONTROL, WINDOWS
from tests.agents.in_memory import InMemory
from tests.agents.quiet import QUIET
from tests.agents.test_timers_kept import alerts_in
from tests.faults.harness import Stage, stage
from tests.faults.left import changelog, lying, rows_of
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.kafka.cluster import Cluster
from tests.streams.sources.manual_clock import ManualClock

PATIENCE_S = 60.0
Tables = Mapping[str, Mapping[bytes, bytes]]


async def test_timers_and_settings_of_workers_that_are_killed_are_as_the_log_says(
    broker: Cluster, tmp_path: Path
) -> None:
    chance = random.Random(8)
    async with stage(broker.url + "?session_ms=2000", tmp_path, more=[QUIET]) as on:
        workers = [on.worker(name, "--timed") for name in ("one", "two")]
        for worker in workers:
            worker.start()
        async with loading(on.log, observations(4)[:1_000], rate=400):
            await set_least(on, value=40, version=2)
            for worker in workers:
                await worker.told("tables_restored")
                # Random, and so not to be waited for: what is tested is that no moment matters.
                await asyncio.sleep(chance.uniform(0.1, 1.0))
                worker.kill()
                worker.start()
            # A version that comes late changes nothing.
            await set_least(on, value=50, version=1)
            await set_least(on, value=60, version=1, channel=ChannelId(7))
        await all_fired(on)
        tables, alerts = await expected(on)
        for table, rows in tables.items():
            assert await rows_of(on.log, changelog(on.group, table)) == rows, table
        assert tables["quiet"]
        found = await records_of(on, ALERTS.name)
        assert sorted(map(repr, alerts_in(found))) == sorted(alerts) != []
        # Both settings, of both inputs, in every partition.
        assert len(await rows_of(on.log, changelog(on.group, "settings"))) == 2 * 2 * PARTITIONS


async def set_least(on: Stage, value: int, version: int, channel: ChannelId | None = None) -> None:
    change = SettingChanged(
        at_ms=1, name=LEAST.name, channel_id=channel, value=value, version=version
    )
    key = f"setting/{LEAST.name}/{channel}".encode()
    await on.log.append([Draft(CONTROL.name, key, encode(change), 1)])


async def all_fired(on: Stage) -> None:
    """Returns when no timer waits, all partitions have the settings, and all is processed."""
    group, log = on.group, on.log

    async def is_done() -> bool:
        await on.settled()
        settings = await rows_of(log, changelog(group, "settings"))
        waiting = await rows_of(log, changelog(group, "quiet-timers"))
        return len(settings) == 4 * PARTITIONS and not waiting

    await until(is_done, PATIENCE_S, "timers to fire")


async def expected(on: Stage) -> tuple[Tables, Sequence[str]]:
    """What the decision makes of the messages of each partition as they lie."""
    tables: dict[str, dict[bytes, bytes]] = {"quiet": {}}
    alerts: list[str] = []
    for partition, records in (await lying(on.log, WINDOWS.name)).items():
        run = InMemory((QUIET,), INPUTS, ManualClock(2**41))
        run.topics[WINDOWS.name] = records
        run.run()
        assert partition.number < PARTITIONS
        tables["quiet"] |= run.tables["quiet"]
        alerts += map(repr, alerts_in(run.topics[ALERTS.name]))
    return tables, alerts


async def records_of(on: Stage, topic: str) -> list[Record]:
    return [record for each in (await lying(on.log, topic)).values() for record in each]
