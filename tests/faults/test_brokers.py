"""Brokers that are killed and come back: one alone, and one of three, under load."""

import asyncio
from pathlib import Path

import pytest

from streams import topics
from tests.faults.harness import Stage, stage
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.worker import STOP_S
from tests.kafka.cluster import Cluster

#: Longer than a transaction may stay open, than a session, and than a request is waited for.
LONG_S = 25.0


async def test_the_only_broker_is_killed_and_comes_back(broker: Cluster, tmp_path: Path) -> None:
    async with stage(broker.url, tmp_path) as on:
        start_two(on)
        async with loading(on.log, observations(4)[:2_000], rate=400) as load:
            await load.reached(0.3)
            await asyncio.to_thread(broker.kill, 0)
            await asyncio.to_thread(broker.start, 0)
        await on.settled()
        await on.check()


@pytest.mark.chaos
async def test_a_worker_is_stopped_while_the_only_broker_is_away(
    broker: Cluster, tmp_path: Path
) -> None:
    async with stage(broker.url, tmp_path) as on:
        worker = on.worker("one")
        worker.start()
        await worker.told("tables_restored")
        async with loading(on.log, observations()[:400], rate=400):
            pass
        await asyncio.to_thread(broker.kill, 0)
        assert await worker.stop() < STOP_S
        await asyncio.to_thread(broker.start, 0)


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_the_only_broker_is_away_for_long(broker: Cluster, tmp_path: Path) -> None:
    async with stage(broker.url, tmp_path) as on:
        start_two(on)
        async with loading(on.log, observations(4), rate=400) as load:
            for share in (0.2, 0.6):
                await load.reached(share)
                await asyncio.to_thread(broker.kill, 0)
                # That it is long is the fault.
                await asyncio.sleep(LONG_S)
                await asyncio.to_thread(broker.start, 0)
        await on.settled()
        await on.check()


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_the_only_broker_is_killed_again_and_again(broker: Cluster, tmp_path: Path) -> None:
    async with stage(broker.url, tmp_path) as on:
        start_two(on)
        async with loading(on.log, observations(6), rate=400) as load:
            for turn in range(8):
                await load.reached(0.05 + turn / 10)
                await asyncio.to_thread(broker.kill, 0)
                await asyncio.to_thread(broker.start, 0)
        await on.settled()
        await on.check()


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_leaders_and_coordinators_are_killed_in_turn(
    brokers: Cluster, tmp_path: Path
) -> None:
    """Each of three: whatever a broker leads or coordinates was killed once at the end."""
    async with stage(brokers.url, tmp_path) as on:
        start_two(on)
        async with loading(on.log, observations(6), rate=300) as load:
            for number in range(3):
                await load.reached(0.1 + 0.25 * number)
                await asyncio.to_thread(brokers.kill, number)
                await load.reached(0.2 + 0.25 * number)
                await asyncio.to_thread(brokers.start, number)
        await on.settled()
        await on.check()


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_brokers_are_restarted_in_order_one_after_the_other(
    brokers: Cluster, tmp_path: Path
) -> None:
    async with stage(brokers.url, tmp_path) as on:
        start_two(on)
        async with loading(on.log, observations(6), rate=300) as load:
            for number in range(3):
                await load.reached(0.1 + 0.25 * number)
                await asyncio.to_thread(brokers.stop, number)
                await asyncio.to_thread(brokers.start, number)
        await on.settled()
        await on.check()


@pytest.mark.chaos
async def test_a_killed_leader_is_replaced(brokers: Cluster, tmp_path: Path) -> None:
    async with stage(brokers.url, tmp_path) as on:
        start_two(on)
        async with loading(on.log, observations(3), rate=300) as load:
            await load.reached(0.3)
            leader = brokers.leader(topics.UPDATES.name, 3)
            assert leader is not None
            await asyncio.to_thread(brokers.kill, leader)
        # Two are enough, for writing as well.
        await on.settled()
        assert brokers.leader(topics.UPDATES.name, 3) not in (None, leader)
        await on.check()


def start_two(on: Stage) -> None:
    for name in ("one", "two"):
        on.worker(name).start()
