"""The tasks of one worker: taken over, committed, and given up as the group says."""

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
    """What tasks are run with."""

    #: What every client of the cluster is made with.
    client: Mapping[str, Any]
    group: str
    #: How long a transaction may stay open before the brokers give it up. Long, for a slow network:
    #: whoever takes a task over ends what is open of it at once.
    transaction_s: float = 60.0


class Tasks:
    """What is owned is what `take_over` was told last, less what was lost since."""

    def __init__(
        self,
        settings: TaskSettings,
        state: State,
        changelogs: Mapping[str, str],
        metrics: Metrics,
        owned: dict[Number, Task],
    ) -> None:
        """`changelogs`: a table's name to the topic of its changelog; `owned`: at first empty."""
        self._settings = settings
        self._state = state
        self._topics = changelogs
        self._changelogs = Changelogs(settings.client, changelogs, state, settings.group, metrics)
        self._metrics = metrics
        self._following: asyncio.Task[None] | None = None
        self.owned = owned

    @property
    def warm(self) -> set[Number]:
        """Tasks of which the tables are on this disk."""
        return self._state.warm(self._topics)

    async def take_over(self, active: Collection[Number], standby: Collection[Number]) -> None:
        """Give up the others, shut out whoever had these, and bring their tables up to date.

        Raises LogError; it may be called again then.
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
        """One transaction a task that has something to write; the tasks that were lost.

        What is written is what was made until this is called: nothing is awaited before it is
        taken. Raises LogError.
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
        """What is not committed has not happened."""
        await self._stop_following()
        await self._give_up(list(self.owned))
        self._tell(0, 0)

    async def _prepared(self, numbers: Collection[Number]) -> dict[Number, Task]:
        """Tasks that nobody else has a say in any more, with tables that are up to date."""
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
        """Whether a commit was cancelled by nobody here: who gives a task up disowns it first."""
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
