"""Faust's consumer over Kafka: a member of the group, and the commits of its tasks.

A rebalance, in order: the group begins to reassign (`_release`: Faust stops delivering and empties
its queues, finished work is committed); the group has assigned (`_get`); this process takes over
the tasks, which fences their previous owners, and brings their tables up to date (`_take_over`);
Faust gets its partitions and asks where to begin (`seek_to_committed`).
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict, deque
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from faust.types import TP
from mode import Service

from streams.context import Task
from streams.faust.assignment import assign
from streams.faust.kafka.restored import NothingToRestore
from streams.faust.message import BATCH_RECORDS
from streams.kafka.membership import Membership
from streams.kafka.task_assignment import Claim, TaskAssignment
from streams.log import LogError, LogUnavailable, Partition, Record
from streams.retry import Retry

if TYPE_CHECKING:
    from streams.faust.kafka.transport import Transport

logger = logging.getLogger(__name__)

#: Records of a partition that are fetched ahead of their delivery.
_AHEAD = 1_000
_WAIT_S = 0.2
#: How long a stopping worker waits for its last commit.
_STOP_S = 8.0
#: Commits may take one Nth of the time, so that they are few and large under load.
_COMMIT_SHARE = 5
#: The longest pause: over a slow network commits take long even without load.
_LONGEST_PAUSE_S = 1.0


class Consumer(NothingToRestore):
    transport: "Transport"

    def __post_init__(self) -> None:
        super().__post_init__()
        work = self.transport.work
        self._member = Membership(work.member, self._claim, self._release, self._get)
        self._fetched: dict[TP, deque[Record]] = defaultdict(deque)
        #: Set when a commit would write something.
        self._filled = asyncio.Event()
        #: Set when the next commit must not be delayed further.
        self._full = asyncio.Event()
        #: Set when the fetch loop may have work.
        self._hungry = asyncio.Event()
        self._stopped_commits = False
        #: Grows when partitions are revoked and when they are assigned.
        self._turn = 0
        #: The turn for which Faust wants positions set.
        self._seeking = 0
        self._committing = asyncio.Lock()
        self._taking_over: asyncio.Future[None] | None = None

    # -- lifecycle

    async def on_start(self) -> None:
        """Raises LogError if a table cannot be kept on Kafka."""
        self.transport.check_tables()
        self.transport.enter()
        await super().on_start()

    async def on_stop(self) -> None:
        """Commit finished work and leave the group, so that the next owner may begin."""
        try:
            await self._stop_taking_over()
            await self._commit_within(_STOP_S)
            await self.transport.tasks.give_up_all()
            await self._member.leave()
        finally:
            await self.transport.leave()

    def stop_commits(self) -> None:
        self._stopped_commits = True

    def filled(self) -> None:
        """Called when the context has something to commit."""
        self._filled.set()

    # -- the group

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Leaves out changelogs: tasks read these, not the group."""
        inputs = set(topics) - self.app.tables.changelog_topics
        if inputs != self._topics:
            if self._topics:
                raise LogError("topics cannot be added to agents that are running")
            self._topics = inputs
            try:
                await self._member.join(inputs)
            except LogError as error:
                await self.crash(error)

    def _claim(self) -> Claim:
        tasks = self.transport.tasks
        return Claim(self._member.generation, sorted(tasks.owned), sorted(tasks.warm))

    async def _release(self) -> None:
        """The group reassigns: finish and commit the work in progress for the next owners."""
        await self._stop_taking_over()
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(set(self._assigned))
        await self._commit_within(self.transport.work.member.session_s / 2)
        self._assign(set())

    def _get(self, assignment: TaskAssignment) -> None:
        """Runs beside the group, so that heartbeats continue while tables are read."""
        if self.should_stop:
            # This member is leaving: others get the tasks of this assignment.
            return
        self._taking_over = asyncio.ensure_future(self._take_over(assignment))

    async def _take_over(self, assignment: TaskAssignment) -> None:
        logger.info(
            "tasks_assigned", extra={"active": assignment.active, "standby": assignment.standby}
        )
        try:
            self.transport.tasks_in_all = self._member.tasks_in_all(self._topics)
            await self.transport.make_changelogs()
            await self.transport.tasks.take_over(assignment.active, assignment.standby)
            partitions = dict.fromkeys(self._topics, assignment.active)
            self._assign({TP(topic, n) for topic in self._topics for n in assignment.active})
            app: Any = self.app
            app.consumer_generation_id += 1
            assign(self.app, partitions)
            await self.on_partitions_assigned(set(self._assigned), app.consumer_generation_id)
        except asyncio.CancelledError:
            if self._taking_over is asyncio.current_task():
                await self.crash(
                    LogError("taking over tasks was cancelled, and not by this worker")
                )
            raise
        except Exception as error:  # noqa: BLE001 (nobody awaits this: every error ends the app)
            await self.crash(error)

    def _assign(self, partitions: set[TP]) -> None:
        """Assign partitions; their records are fetched only once positions are set."""
        self._turn += 1
        self._assigned = partitions
        self._fetched.clear()
        self._forget_deliveries()

    async def _stop_taking_over(self) -> None:
        taking_over, self._taking_over = self._taking_over, None
        if taking_over is not None:
            taking_over.cancel()
            await asyncio.gather(taking_over, return_exceptions=True)

    # -- partitions and positions

    def topic_partitions(self, topic: str) -> int | None:
        return self._member.partitions(topic)

    def key_partition(
        self, topic: str, key: bytes | None, partition: int | None = None
    ) -> int | None:
        if partition is not None or key is None:
            return partition
        return self.transport.partition(key)

    def highwater(self, tp: TP) -> int:
        """Faust uses it for measurements only."""
        fetched = self._fetched.get(tp)
        return fetched[-1].offset + 1 if fetched else 0

    async def position(self, tp: TP) -> int | None:
        fetched = self._fetched.get(tp)
        return fetched[0].offset if fetched else None

    def perform_seek(self) -> Coroutine[Any, Any, None]:
        """Faust has just checked that the assignment is current; it does not after awaiting."""
        self._seeking = self._turn
        return super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """The committed offsets of the tasks: other owners are fenced and cannot change them.

        A task knows the offsets that it committed before the brokers report them.
        """
        turn, assigned = self._seeking, [Partition(*tp) for tp in self._assigned]
        committed, first = await self._offsets(assigned)
        if turn != self._turn:
            # Reassigned meanwhile. Faust's recovery continues with the old assignment before it
            # begins the new one: its result is outdated.
            return {}
        owned = self.transport.tasks.owned.values()
        for task in owned:
            committed.update(task.read)
        for task in owned:
            task.committed = {at: to for at, to in committed.items() if at.number == task.number}
        for at in assigned:
            if at in committed and committed[at] < first[at]:
                told = {"partition": at, "committed": committed[at], "first": first[at]}
                logger.warning("messages_removed_by_retention_unprocessed", extra=told)
            self._member.seek(at, max(committed.get(at, 0), first[at]))
        self._fetched.clear()
        self._forget_deliveries()
        self._sought = True
        self._hungry.set()
        return {TP(*at): offset for at, offset in committed.items()}

    async def _offsets(
        self, partitions: Sequence[Partition]
    ) -> tuple[dict[Partition, int], dict[Partition, int]]:
        async def ask() -> tuple[dict[Partition, int], dict[Partition, int]]:
            committed = await self._member.committed(partitions)
            return committed, await self._member.first(partitions)

        return await Retry({LogUnavailable: "log"}, logger).call(ask)

    # -- fetching

    @Service.task
    async def _fetch(self) -> None:
        """Keeps some records of each partition fetched ahead of their delivery."""
        while not self.should_stop:
            try:
                wanted = [Partition(*tp) for tp in self._assigned if self._is_wanted(tp)]
                if wanted:
                    self._keep(await self._member.fetch(wanted, _WAIT_S, _AHEAD))
                else:
                    self._member.check()
            except LogError as error:
                await self.crash(error)
                return
            if not wanted:
                self._hungry.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._hungry.wait(), 1.0)

    def _is_wanted(self, tp: TP) -> bool:
        return self._sought and len(self._fetched[tp]) < _AHEAD

    def _keep(self, found: Mapping[Partition, Sequence[Record]]) -> None:
        """Drop records that were fetched before the positions were set again."""
        for at, records in found.items():
            tp = TP(*at)
            if self._sought and tp in self._assigned:
                self._fetched[tp].extend(records)
        if found:
            self._news.set()

    def _next_records(self, tp: TP) -> Sequence[Record]:
        return list(islice(self._fetched[tp], BATCH_RECORDS))

    def _delivered(self, tp: TP, records: Sequence[Record]) -> None:
        fetched = self._fetched[tp]
        before = len(fetched)
        for _ in records:
            fetched.popleft()
        if before > _AHEAD // 2 >= len(fetched):
            self._hungry.set()

    def _has_room(self, tp: TP) -> bool:
        task = self.transport.tasks.owned.get(tp.partition)
        if task is not None and task.has_room:
            return True
        self._full.set()
        return False

    # -- committing

    def _committable(self) -> None:
        self._filled.set()

    @Service.task
    async def _commit_handler(self) -> None:
        """Commits soon after there is something to commit; under load rarely and much at once."""
        linger_s = self.transport.work.linger_s
        while not self.should_stop:
            await self._filled.wait()
            began = time.monotonic()
            await self.commit()
            rest_s = (time.monotonic() - began) * (_COMMIT_SHARE - 1)
            pause_s = max(linger_s, min(rest_s, _LONGEST_PAUSE_S))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), pause_s)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit all tasks, each in a separate transaction. One commit at a time."""
        async with self._committing:
            if self._stopped_commits:
                return False
            self._filled.clear()
            self._full.clear()
            return await self._commit_tasks()

    async def _commit_within(self, wait_s: float) -> None:
        try:
            await asyncio.wait_for(self.commit(), wait_s)
        except TimeoutError:
            # The next take-over of the tasks finds out whether it was written.
            logger.warning("commit_given_up", extra={"after_s": wait_s})
            await self.transport.tasks.give_up_all()

    async def _commit_tasks(self) -> bool:
        """Must not await between choosing the offsets and taking the effects."""
        offsets: dict[Task, dict[Partition, int]] = defaultdict(dict)
        for tp in self._assigned:
            offset = self._new_offset(tp)
            if offset is not None:
                offsets[tp.partition][Partition(*tp)] = offset
        try:
            lost = await self.transport.tasks.commit(offsets)
        except LogError as error:
            self.stop_commits()
            await self.crash(error)
            return False
        if lost:
            self._member.rejoin()
        self._news.set()
        return bool(offsets)
