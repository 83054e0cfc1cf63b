"""A new decision is filled on Kafka while its worker is killed, and while others join."""

import asyncio
import random
from pathlib import Path

import pytest

from agents.engine.rebuilds import want
from streams import topics
from streams.topics import changelog_of
from tables.rows import RowDecoder
from tests.agents.counts import COUNTS, Count
from tests.agents.filled import until_live
from tests.faults.harness import Stage, stage
from tests.faults.left import lying
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.kafka.cluster import Cluster

_count = RowDecoder(Count)
#: From the start of a process: while it joins, takes over, fills and commits.
LONGEST_S = 3.0


async def test_a_worker_killed_while_it_fills_folds_every_message_once(
    broker: Cluster, tmp_path: Path
) -> None:
    await filled_under_fire(broker, tmp_path, messages=3_000, kills=2, workers=1)


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_twenty_kills_among_two_workers_that_fill(broker: Cluster, tmp_path: Path) -> None:
    await filled_under_fire(broker, tmp_path, messages=12_000, kills=20, workers=2)


async def filled_under_fire(
    broker: Cluster, folder: Path, *, messages: int, kills: int, workers: int
) -> None:
    """Half of the messages are there before the decision is, and half come meanwhile."""
    drafts, chance = observations(4)[:messages], random.Random(9)
    async with stage(broker.url + "?session_ms=2000", folder, more=(COUNTS,)) as on:
        await on.log.append(drafts[: messages // 2])
        before = on.worker("before")
        before.start()
        await on.settled()
        await before.stop()
        names = ["one", "two"][:workers]
        filling = [on.worker(name, static=name == "one") for name in names]
        for worker in filling:
            worker.program = "tests.faults.counting"
        async with loading(on.log, drafts[messages // 2 :], rate=300):
            for worker in filling:
                worker.start()
            for _ in range(kills):
                # Random, and so not to be waited for: what is tested is that no moment matters.
                await asyncio.sleep(chance.uniform(0.5, LONGEST_S))
                victim = chance.choice(filling)
                victim.kill()
                victim.start()
        await on.settled()
        await until_live(on.log, COUNTS.name, PARTITIONS, on.group)
        assert await counted(on) == await on.messages(topics.UPDATES.name) == messages
        await want(on.log, COUNTS.name, 1)
        await asyncio.gather(*(worker.told("rebuild_began") for worker in filling[:1]))
        await until_rebuilt(on)
        assert await counted(on) == messages
        await on.check()


async def until_rebuilt(on: Stage) -> None:
    await until_live(on.log, COUNTS.name, PARTITIONS, on.group, rebuild_ms=1)


async def counted(on: Stage) -> int:
    """Messages in the rows of the decision, as they lie in the table's changelog."""
    rows: dict[bytes, bytes | None] = {}
    for records in (await lying(on.log, changelog_of(on.group, "counts").name)).values():
        rows |= {record.key or b"": record.value for record in records}
    return sum(_count(row).messages for row in rows.values() if row)
