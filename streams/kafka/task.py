"""A task that this worker has: what its messages made, and the commit of it."""

import asyncio
import time
from collections.abc import Mapping

from streams.context import Task as Number
from streams.kafka.state import State
from streams.kafka.transaction import Outgoing, TaskLost, Transactions
from streams.log import LogError, Partition
from streams.metrics import Metrics

#: What may be waiting for one commit, in bytes; then no more messages are delivered.
ROOM_BYTES = 8 << 20


class Task:
    """Its rows are in `state`; `changelogs`: a table's name to the topic of its changelog."""

    def __init__(
        self,
        number: Number,
        transactions: Transactions,
        state: State,
        changelogs: Mapping[str, str],
        metrics: Metrics,
    ) -> None:
        """`transactions` have been started."""
        self.number = number
        self._transactions = transactions
        self._state = state
        self._changelogs = changelogs
        self._tables = {Partition(topic, number): table for table, topic in changelogs.items()}
        self._metrics = metrics
        self._outgoing: dict[Partition, list[Outgoing]] = {}
        self._committing: asyncio.Task[None] | None = None
        #: How far it has committed what it read; the brokers may say so only a moment later.
        self.read: dict[Partition, int] = {}
        #: Bytes of what waits for the next commit.
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
        """All rows of a table whose changelog has lost them, for the next commit; how many."""
        rows = list(self._state.items(table, [self.number]))
        for key, row in rows:
            self.put(table, key, row)
        return len(rows)

    def commit(self, offsets: Mapping[Partition, int]) -> "asyncio.Task[None]":
        """Write all that was made until now, and how far was read, in one transaction.

        One at a time. It ends with TaskLost or LogError when nothing of it has happened, and is
        cancelled when the task is given up.
        """
        self._committing = asyncio.create_task(self._commit(self._take(), offsets))
        return self._committing

    async def give_up(self) -> None:
        """Nothing that was not committed has happened; what is being committed may have."""
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
            # Its messages are processed again: whoever waits goes on, and nothing of it counts.
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
    """Tell those who wait for it what became of a transaction."""
    for at, records in outgoing.items():
        for record in records:
            if record.promise is not None:
                record.promise((at, -1) if error is None else error)
