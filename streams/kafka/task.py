"""A task that this worker owns: the effects of its messages, and their commit."""

import asyncio
import time
from collections.abc import Mapping

from streams.context import Task as Number
from streams.kafka.state import State
from streams.kafka.transaction import Outgoing, TaskLost, Transactions
from streams.log import LogError, Partition
from streams.metrics import Metrics

#: Bytes that may wait for one commit; above that no more messages are delivered.
ROOM_BYTES = 8 << 20


class Task:
    """Its rows are in `state`; `changelogs`: the changelog of each table, by its name."""

    def __init__(
        self,
        number: Number,
        transactions: Transactions,
        state: State,
        changelogs: Mapping[str, str],
        metrics: Metrics,
    ) -> None:
        """`transactions` must have been started."""
        self.number = number
        self._transactions = transactions
        self._state = state
        self._changelogs = changelogs
        self._tables = {Partition(topic, number): table for table, topic in changelogs.items()}
        self._metrics = metrics
        self._outgoing: dict[Partition, list[Outgoing]] = {}
        self._committing: asyncio.Task[None] | None = None
        #: The input offsets that it committed; brokers may report them a moment later.
        self.read: dict[Partition, int] = {}
        #: The same as it was when the task's messages were read from there on.
        self.committed: dict[Partition, int] = {}
        #: Bytes that wait for the next commit.
        self.waiting_bytes = 0

    @property
    def has_room(self) -> bool:
        return self.waiting_bytes < ROOM_BYTES

    def send(self, partition: Partition, record: Outgoing) -> None:
        records = self._outgoing.get(partition)
        if records is None:
            records = self._outgoing[partition] = []
        records.append(record)
        self.waiting_bytes += len(record.key or b"") + len(record.value or b"")

    def put(self, table: str, key: bytes, data: bytes | None) -> None:
        self._state.put(self.number, table, key, data)
        changelog = Partition(self._changelogs[table], self.number)
        self.send(changelog, Outgoing(key, data, None, {}))

    def put_again(self, table: str) -> int:
        """Add all rows of a table whose changelog lost them to the next commit; their number."""
        rows = list(self._state.items(table, [self.number]))
        for key, row in rows:
            self.put(table, key, row)
        return len(rows)

    def commit(self, offsets: Mapping[Partition, int]) -> "asyncio.Task[None]":
        """Write all effects so far, and the input offsets, in one transaction.

        One at a time. Raises TaskLost or LogError if nothing was committed; it is cancelled when
        the task is released.
        """
        self._committing = asyncio.create_task(self._commit(self._take(), offsets))
        return self._committing

    async def give_up(self) -> None:
        """Drop uncommitted effects; a commit in progress may still succeed."""
        committing, self._committing = self._committing, None
        if committing is not None:
            committing.cancel()
            await asyncio.gather(committing, return_exceptions=True)
        _keep_promises(self._outgoing, None)
        await self._transactions.close()
        self._state.roll_back(self.number)

    def _take(self) -> Mapping[Partition, list[Outgoing]]:
        outgoing, self._outgoing = self._outgoing, {}
        self.waiting_bytes = 0
        self._state.freeze(self.number)
        return outgoing

    async def _commit(
        self, outgoing: Mapping[Partition, list[Outgoing]], offsets: Mapping[Partition, int]
    ) -> None:
        began = time.perf_counter()
        try:
            ends = await self._transactions.commit(outgoing, offsets)
        except (TaskLost, asyncio.CancelledError):
            # Its messages are processed again: release waiters; their further effects are dropped.
            _keep_promises(outgoing, None)
            raise
        except LogError as error:
            _keep_promises(outgoing, error)
            raise
        _keep_promises(outgoing, None)
        self.read.update(offsets)
        positions = {table: ends[at] for at, table in self._tables.items() if at in ends}
        self._state.settle(self.number, positions, offsets)
        took_s = time.perf_counter() - began
        self._metrics.observe("analyticbot_commit_seconds", took_s, stage="log")


def _keep_promises(outgoing: Mapping[Partition, list[Outgoing]], error: LogError | None) -> None:
    """Report the result of a transaction to its waiters."""
    for at, records in outgoing.items():
        for record in records:
            if record.promise is not None:
                record.promise((at, -1) if error is None else error)
