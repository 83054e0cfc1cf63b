"""History agents that share partitions on Kafka: what they store together is what one stores."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.settings import HistorySettings
from agents.history.writer import GROUP, HistoryAgent
from clickhouse.chdb import ChdbHistory
from clickhouse.history import Answer, HistoryError, Insert
from streams import topics
from streams.kafka.log import KafkaLog
from streams.kafka.member import KafkaMember
from streams.kafka.settings import settings_of
from streams.log import Log, Member, Offsets
from streams.metrics import Metrics
from tests.agents.history_told import ends, minute_of_messages, opened_log, stored
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.patience import PATIENCE_S
from tests.streams.kafka.prefixed import Prefixed, PrefixedMember

PARTITIONS = 6
QUICK = HistorySettings(batch_rows=60, batch_s=0.01, first_pause_s=0.01, longest_pause_s=0.02)


class Shared:
    """One history for all agents, each of which has a log of its own."""

    def __init__(self, history: ChdbHistory, open_log: Callable[[], Awaitable[Prefixed]]) -> None:
        self.history = history
        self._open_log = open_log
        self.workers: list[Worker] = []

    async def add(self, settings: HistorySettings = QUICK) -> "Worker":
        worker = Worker(await self._open_log(), self.history, settings)
        self.workers.append(worker)
        return worker


class Worker:
    """An agent, as a process of its own would have it. Also the history that it sees."""

    def __init__(self, log: Prefixed, history: ChdbHistory, settings: HistorySettings) -> None:
        self._log = log
        self._history = history
        self.metrics = Metrics()
        #: Set: the next insertion is stored, and the agent never hears of it.
        self.dies_after: str | None = None
        #: Insertions wait while it is not set.
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = asyncio.Event()
        self.member: Member | None = None
        agent = HistoryAgent(self, self, self.metrics, settings)
        self.task = asyncio.create_task(agent.run())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def join(self, group: str, topics: Sequence[str], *, instance: str | None = None) -> Any:
        self.member = await self._log.join(group, topics, instance=instance)
        return self.member

    async def insert(self, insert: Insert) -> None:
        if not self.gate.is_set():
            self.waiting.set()
            await self.gate.wait()
        await self._history.insert(insert)
        if insert.table == self.dies_after:
            raise HistoryError("the process ended")

    async def ask(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        return await self._history.ask(query, parameters)

    def fall_silent(self) -> Awaitable[None]:
        """The group hears nothing more of this member, and it nothing of the group."""
        assert isinstance(self.member, PrefixedMember)
        member = self.member._member
        assert isinstance(member, KafkaMember)
        return member._abandon()

    async def end(self) -> None:
        self.gate.set()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self._log.close()


@pytest.fixture
async def log(kafka: Cluster | Running) -> Callable[[], Awaitable[Prefixed]]:
    """Opens the same, at first empty, log once more."""
    prefix = unique("shared") + "."
    url = f"{kafka.url}?session_ms={kafka.session_ms}"

    async def open_log() -> Prefixed:
        return Prefixed(await KafkaLog.open(settings_of(url)), prefix)

    first = await open_log()
    for topic in topics.ALL:
        await first.create(topic, PARTITIONS)
    await first.close()
    return open_log


@pytest.fixture
async def shared(log: Callable[[], Awaitable[Prefixed]], tmp_path: Path) -> AsyncIterator[Shared]:
    history = await ChdbHistory.open(tmp_path / "shared")
    await history.migrate()
    shared = Shared(history, log)
    yield shared
    for worker in shared.workers:
        await worker.end()
    await history.close()


async def expected(folder: Path, minutes: int) -> dict[str, list[Any]]:
    """What one agent stores of the same messages on the embedded log."""
    log = await opened_log(folder / "log")
    for minute in range(minutes):
        await log.append(minute_of_messages(minute))
    history = await ChdbHistory.open(folder / "alone")
    await history.migrate()
    agent = HistoryAgent(log, history, Metrics(), QUICK)
    task = asyncio.create_task(agent.run())
    await agent.caught_up(await ends(log))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await history.close()
    await log.close()
    return stored(folder / "alone")


async def stored_up_to(log: Log, offsets: Offsets) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            committed = await log.committed(GROUP)
            if all(committed.get(each, 0) >= end for each, end in offsets.items()):
                return
            await asyncio.sleep(0.02)


async def compare(shared: Shared, log: Log, folder: Path, minutes: int) -> None:
    await stored_up_to(log, await ends(log))  # type: ignore[arg-type]
    for worker in shared.workers:
        await worker.end()
    shared.workers.clear()
    await shared.history.close()
    together = stored(folder / "shared")
    assert together == await expected(folder, minutes)
    assert len(together["windows"]) == 8 * minutes


async def test_members_come_and_go_under_load(
    log: Callable[[], Awaitable[Prefixed]], shared: Shared, tmp_path: Path
) -> None:
    minutes = 45
    moments = random.Random(11)
    writer = await log()
    await shared.add()
    for minute in range(minutes):
        await writer.append(minute_of_messages(minute))
        if minute % 5 == 2:
            await shared.add()
        if minute % 5 == 4:
            leaving = shared.workers.pop(moments.randrange(len(shared.workers) - 1))
            if minute % 2:
                leaving.dies_after = moments.choice(["posts", "post_samples", "windows"])
                with pytest.raises(HistoryError):
                    async with asyncio.timeout(PATIENCE_S):
                        await leaving.task
            await leaving.end()
    await compare(shared, writer, tmp_path, minutes)
    await writer.close()


@pytest.mark.parametrize("renew_s", [0.0, 60.0])
async def test_who_is_lost_in_mid_batch_is_followed_by_others(
    log: Callable[[], Awaitable[Prefixed]], shared: Shared, tmp_path: Path, renew_s: float
) -> None:
    """It has begun a batch and says nothing more; then it wakes up, and inserts it after all."""
    minutes = 12
    writer = await log()
    lost = await shared.add(msgspec.structs.replace(QUICK, renew_s=renew_s))
    await writer.append([each for minute in range(4) for each in minute_of_messages(minute)])
    await stored_up_to(writer, await ends(writer))  # type: ignore[arg-type]
    lost.gate.clear()
    await writer.append([each for minute in range(4, 8) for each in minute_of_messages(minute)])
    async with asyncio.timeout(PATIENCE_S):
        await lost.waiting.wait()
    await lost.fall_silent()
    await shared.add()
    await shared.add()
    await writer.append(
        [each for minute in range(8, minutes) for each in minute_of_messages(minute)]
    )
    await stored_up_to(writer, await ends(writer))  # type: ignore[arg-type]
    committed = await writer.committed(GROUP)
    lost.gate.set()
    await asyncio.wait({lost.task}, timeout=2)
    assert await writer.committed(GROUP) == committed
    await compare(shared, writer, tmp_path, minutes)
    await writer.close()
