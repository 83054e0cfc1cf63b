"""A task that this worker has: what its messages made, and the commit of it."""

from collections.abc import Mapping
from itertools import chain

from streams.driver.desk import Task as Number
from streams.kafka.state import State
from streams.kafka.transaction import Outgoing, Transactions
from streams.log import Partition

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
    ) -> None:
        self.number = number
        self.transactions = transactions
        self._state = state
        self._changelogs = {table: Partition(topic, number) for table, topic in changelogs.items()}
        self._tables = {changelog: table for table, changelog in self._changelogs.items()}
        self._outgoing: dict[Partition, list[Outgoing]] = {}
        #: Rows for the changelogs, by table and key: one that was put often is written once,
        #: because nobody sees what it was within a transaction.
        self._rows: dict[tuple[str, bytes], bytes | None] = {}
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
        place = table, key
        self.waiting_bytes += len(data or b"") - len(self._rows.get(place) or b"")
        if place not in self._rows:
            self.waiting_bytes += len(key)
        self._rows[place] = data

    def take(self) -> Mapping[Partition, list[Outgoing]]:
        """What the next commit writes. From here to its end nothing else is taken."""
        outgoing, self._outgoing = self._outgoing, {}
        rows, self._rows = self._rows, {}
        self.waiting_bytes = 0
        for (table, key), data in rows.items():
            changelog = outgoing.setdefault(self._changelogs[table], [])
            changelog.append(Outgoing(key, data, None, {}))
        self._state.freeze(self.number)
        return outgoing

    async def commit(
        self, outgoing: Mapping[Partition, list[Outgoing]], offsets: Mapping[Partition, int]
    ) -> int:
        """Write what was taken, and how far was read, in one transaction; how many records.

        Raises TaskLost and LogError; then nothing of it has happened.
        """
        ends = await self.transactions.commit(outgoing, offsets)
        self.read.update(offsets)
        self._state.settle(
            self.number,
            {table: ends[at] for at, table in self._tables.items() if at in ends},
        )
        return sum(1 for _ in chain.from_iterable(outgoing.values()))

    def roll_back(self) -> None:
        """Nothing that was not committed has happened."""
        self._outgoing, self._rows = {}, {}
        self.waiting_bytes = 0
        self._state.roll_back(self.number)
