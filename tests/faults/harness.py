"""A fault test's stage: topics on real brokers, workers as processes, and what they leave.

async with stage(cluster.url, tmp_path) as on:
    worker = on.worker("one")
    worker.start()
    async with loading(on.log, observations(), rate=500) as load:
        await load.reached(0.3)
        worker.kill()
        worker.start()
    await on.settled()
    await on.check()
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from agents.engine.decision import Decision
from agents.engine.plan import Plan
from agents.pipeline import PIPELINE, plan
from streams import topics
from streams.kafka.log import KafkaLog
from streams.kafka.settings import settings_of
from streams.log import Log, LogUnavailable, Offsets, Partition
from streams.topics import Topic, changelog_of
from tests.faults.clearing import clear
from tests.faults.expectation import expected
from tests.faults.left import OUTPUTS, differences, left_in, lying
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.faults.worker import Worker
from tests.kafka.fixtures import unique

PATIENCE_S = 120.0


class Stage:
    """One log, and its workers."""

    def __init__(self, log: Log, url: str, folder: Path, group: str, plan: Plan) -> None:
        self.log = log
        self._inputs = [each.topic.name for each in plan.inputs]
        self.url = url
        self.folder = folder
        self.group = group
        self.workers: list[Worker] = []

    def worker(
        self,
        name: str,
        *options: str,
        static: bool = False,
        url: str | None = None,
        tables: Path | None = None,
    ) -> Worker:
        """Not started yet. `static`: it keeps its place in the group when it is back soon."""
        given = [*options, "--group", self.group, *(["--instance", name] if static else [])]
        worker = Worker(name, self.folder, url or self.url, given, tables=tables)
        self.workers.append(worker)
        return worker

    async def settled(self, patience_s: float = PATIENCE_S) -> float:
        """Returns when all that is in the log is processed and committed; the seconds it took."""
        behind = ""

        async def is_settled() -> bool:
            nonlocal behind
            behind = await self._behind()
            return not behind

        def told() -> str:
            doing = (f"{worker.name} is at:\n{worker.doing()}" for worker in self.workers)
            return "\n".join(("everything processed", behind, *doing))

        return await until(is_settled, patience_s, told)

    async def committed(self) -> Offsets:
        return await self.log.committed(self.group)

    async def moved(self, tasks: set[int], since: Offsets) -> bool:
        """Whether each of these tasks has committed something of telegram.updates since."""
        now = await self.committed()
        ats = [Partition(topics.UPDATES.name, task) for task in tasks]
        return all(now.get(at, 0) > since.get(at, 0) for at in ats)

    async def goes_on(self, since: Offsets, patience_s: float = PATIENCE_S) -> None:
        """Returns when anything was committed since."""

        async def is_further() -> bool:
            return await self.committed() != since

        await until(is_further, patience_s, "anything to be committed")

    async def check(self) -> None:
        """Nothing was lost, doubled or changed: tables, windows and alerts, to the digit."""
        left = await left_in(self.log, self.group)
        found = differences(left, await expected(self.log))
        assert not found, "\n".join(found)
        for table, rows in left.tables.items():
            assert rows, f"table {table} is empty"
        for topic in OUTPUTS:
            assert any(left.outputs[at] for at in left.outputs if at.topic == topic), topic

    async def check_processed_once(self) -> None:
        """No worker has processed what another had, or it itself before: all were stopped in order.

        Effects are there once in any case; this says that nothing had to be repeated for it.
        """
        ended = [told for each in self.workers for told in each.events("worker_ended", ever=True)]
        for stage, topic in (("updates", topics.UPDATES), ("windows", topics.WINDOWS)):
            processed = sum(told[stage] for told in ended)
            assert processed == await self.messages(topic.name), stage

    async def shared(self, *workers: Worker, patience_s: float = PATIENCE_S) -> float:
        """Returns when these have all tasks among them, each a part; the seconds it took."""
        what = f"all tasks at {', '.join(worker.name for worker in workers)}"
        return await until(lambda: _is_shared(workers), patience_s, what)

    async def messages(self, topic: str) -> int:
        """How many a reader gets."""
        return sum(map(len, (await lying(self.log, topic)).values()))

    async def _behind(self) -> str:
        """What is not processed yet; empty when everything is."""
        for worker in self.workers:
            worker.check()
        try:
            # In this order: what is committed by now is behind ends that are looked up later.
            committed = await self.committed()
            bounds = [await self.log.bounds(topic) for topic in self._inputs]
        except LogUnavailable as error:
            return str(error)
        ends = {at: found.next for each in bounds for at, found in each.items()}
        return ", ".join(
            f"{at.topic}/{at.number} is processed up to {committed.get(at, 0)} of {end}"
            for at, end in ends.items()
            if committed.get(at, 0) < end
        )


@asynccontextmanager
async def stage(
    url: str, folder: Path, group: str | None = None, more: Sequence[Decision] = ()
) -> AsyncIterator[Stage]:
    """Topics are made, empty; whatever still runs at the end is killed.

    Without a group's name it gets one that nobody else has. `more`: what its workers decide beside
    the pipeline.
    """
    log = await KafkaLog.open(settings_of(url))
    group = group or unique("analyticbot")
    running = plan((*PIPELINE, *more), group=group)
    on = Stage(log, url, folder, group, running)
    try:
        needed = _topics(group, running)
        await clear(url, [topic.name for topic in needed])
        for topic in needed:
            await log.create(topic, PARTITIONS)
        yield on
    finally:
        for worker in on.workers:
            worker.end()
        await log.close()


def _is_shared(workers: Sequence[Worker]) -> bool:
    for worker in workers:
        worker.check()
    newest = [assigned[-1] for worker in workers if (assigned := worker.assignments())]
    tasks = sorted(task for share in newest for task in share)
    return len(newest) == len(workers) and all(newest) and tasks == list(range(PARTITIONS))


def _topics(group: str, plan: Plan) -> list[Topic]:
    dead = [Topic(each.topic.dead) for each in plan.inputs]
    rows = [changelog_of(group, table) for table in plan.tables]
    return [*topics.ALL, *plan.forwarded, *dead, *rows]
