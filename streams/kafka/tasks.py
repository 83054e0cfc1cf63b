"""The tasks of one worker: takes them over, commits and releases them as the group assigns."""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from streams.context import Task as Number
from streams.kafka.changelogs import Changelogs, Restored
from streams.kafka.state import State
from streams.kafka.task import Task
from streams.kafka.transaction import TaskLost, Transactions
from streams.log import LogUnavailable, Partition
from streams.metrics import Metrics
from streams.retry import Retry

logger = logging.getLogger(__name__)


class TaskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of tasks."""

    #: The arguments of every client of the cluster.
    client: Mapping[str, Any]
    group: str
    #: How long a transaction may stay open before brokers abort it. Long, for slow networks: a new
    #: owner aborts it at once.
    transaction_s: float = 60.0


class Tasks:
    """Owns the tasks of the last `take_over`, without those lost since."""

    def __init__(
        self,
        settings: TaskSettings,
        state: State,
        changelogs: Mapping[str, str],
        metrics: Metrics,
        owned: dict[Number, Task],
    ) -> None:
        """`changelogs`: the changelog of each table, by its name; `owned` begins empty."""
        self._settings = settings
        self._state = state
        self._topics = changelogs
        self._changelogs = Changelogs(settings.client, changelogs, state, settings.group, metrics)
        self._metrics = metrics
        self._following: asyncio.Task[None] | None = None
        self.owned = owned

    @property
    def warm(self) -> set[Number]:
        """Tasks whose tables are on this disk."""
        return self._state.warm(self._topics)

    async def take_over(self, active: Collection[Number], standby: Collection[Number]) -> None:
        """Release the others, fence the previous owners of these, bring their tables up to date.

        Raises LogError; call it again then.
        """
        await self._stop_following()
        await self._give_up([number for number in self.owned if number not in active])
        new = sorted(number for number in active if number not in self.owned)
        self._tell(0, len(new))
        if new:
            self.owned.update(await self._prepared(new))
        self._tell(len(standby), 0)
        self._follow(standby)

    async def commit(self, offsets: Mapping[Number, Mapping[Partition, int]]) -> set[Number]:
        """Commit one transaction per task with effects; returns the tasks that were lost.

        It commits the effects made before the call: it awaits nothing before it takes them.
        Raises LogError.
        """
        commits: dict[Task, asyncio.Task[None]] = {}
        for number, task in self.owned.items():
            read = offsets.get(number, {})
            if read or task.waiting_bytes:
                commits[task] = task.commit(read)
        ended = await asyncio.gather(*commits.values(), return_exceptions=True)
        lost = set()
        for task, error in zip(commits, ended, strict=True):
            if isinstance(error, TaskLost) or self._was_cut_off(task, error):
                reason = str(error) or "its commit was cancelled"
                logger.warning("task_lost", extra={"task": task.number, "reason": reason})
                lost.add(task.number)
            elif isinstance(error, Exception):
                raise error
        await self._give_up(lost)
        return lost

    async def give_up_all(self) -> None:
        """Drop uncommitted effects."""
        await self._stop_following()
        await self._give_up(list(self.owned))
        self._tell(0, 0)

    async def _prepared(self, numbers: Collection[Number]) -> dict[Number, Task]:
        """Start tasks: their previous owners are fenced and their tables up to date."""
        began = time.perf_counter()
        all_of = [self._transactions(number) for number in numbers]
        try:
            await asyncio.gather(*(_start(one) for one in all_of))
            restored = await self._restored(numbers)
        except BaseException:
            await asyncio.gather(*(one.close() for one in all_of))
            raise
        took_s = time.perf_counter() - began
        self._metrics.observe("analyticbot_recovery_seconds", took_s)
        told = {"tasks": numbers, "records": restored.records, "seconds": round(took_s, 3)}
        logger.info("tables_restored", extra=told)
        made = {
            number: Task(number, one, self._state, self._topics, self._metrics)
            for number, one in zip(numbers, all_of, strict=True)
        }
        for number, table in restored.ahead:
            rows = made[number].put_again(table)
            extra = {"task": number, "table": table, "rows": rows}
            logger.warning("changelog_written_again", extra=extra)
        return made

    def _was_cut_off(self, task: Task, error: BaseException | None) -> bool:
        """Whether nobody here cancelled the commit: a release disowns the task first."""
        cancelled = isinstance(error, asyncio.CancelledError)
        return cancelled and self.owned.get(task.number) is task

    def _transactions(self, number: Number) -> Transactions:
        settings = self._settings
        return Transactions(settings.client, settings.group, number, settings.transaction_s)

    async def _restored(self, numbers: Collection[Number]) -> Restored:
        retry = Retry({LogUnavailable: "log"}, logger)
        return await retry.call(lambda: self._changelogs.restore(numbers))

    async def _give_up(self, numbers: Collection[Number]) -> None:
        gone = [self.owned.pop(number) for number in numbers if number in self.owned]
        await asyncio.gather(*(task.give_up() for task in gone))

    def _follow(self, standby: Collection[Number]) -> None:
        if standby and self._topics:
            self._following = asyncio.create_task(self._changelogs.follow(standby), name="standbys")

    async def _stop_following(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    def _tell(self, standby: int, restoring: int) -> None:
        counts = {"active": len(self.owned), "standby": standby, "recovering": restoring}
        for state, count in counts.items():
            self._metrics.gauge("analyticbot_tasks", count, state=state)


async def _start(transactions: Transactions) -> None:
    """Waits while no broker answers."""
    await Retry({LogUnavailable: "log"}, logger).call(transactions.start)
