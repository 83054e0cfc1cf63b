"""The content of the database as topics, records and commits. Opening it detects damage.

Not for writing: the writer (writer.py) and upkeep (retention.py, compaction.py) write.
"""

import logging
from collections.abc import Iterator

from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.partition import PartitionState, TopicState
from streams.log import LogDamaged, Partition, Record

logger = logging.getLogger(__name__)


class Store:
    """The whole state of a log, read from `database` by the constructor, which blocks meanwhile.

    Cuts off a broken last batch of a partition (a torn write), with a warning. Any other damage
    raises LogDamaged, in the constructor or when it is read. Without `mend` nothing is written:
    torn batches stay.
    """

    def __init__(self, database: Database, *, mend: bool = True) -> None:
        self.database = database
        self._mend = mend
        #: The key of the torn batch, per partition that has one.
        self.torn: dict[Partition, bytes] = {}
        with database.named():
            self._check_layout()
            self.topics = dict(self._read_topics())
            self._read_partitions()
            self.commits = self._read_commits()
            for topic in self.topics.values():
                for state in topic.partitions:
                    self._cut_torn_tail(state)

    def records(self, state: PartitionState, offset: int) -> Iterator[list[Record]]:
        """Stored batches from the one with `offset` on; it may begin below. Raises LogDamaged."""
        lower, upper = rows.batch_keys(state.topic.id, state.number, offset)
        for key, row in self.database.scan(lower, upper):
            with self.database.named():
                batch = rows.unseal_batch(key, row)
            yield batch

    def last_record(self, state: PartitionState) -> Record | None:
        found = self.database.last(*rows.batch_keys(state.topic.id, state.number))
        with self.database.named():
            return rows.unseal_batch(*found)[-1] if found else None

    def _check_layout(self) -> None:
        row = self.database.get(rows.LAYOUT_KEY)
        if row is not None:
            rows.unseal(rows.LAYOUT_KEY, row)
            return
        if next(self.database.scan(b"", b"\xff"), None) is not None:
            raise LogDamaged("the database is not a log: it does not say its version")
        if not self._mend:
            return
        write = Write()
        write.put(rows.LAYOUT_KEY, rows.seal(rows.LAYOUT_KEY, b""))
        self.database.write(write)

    def _read_topics(self) -> Iterator[tuple[str, TopicState]]:
        for key, row in self.database.scan(*rows.TOPICS):
            name = key[1:].decode()
            topic = TopicState(name, rows.unseal_struct(key, row, rows.TopicRow))
            topic.partitions = [
                PartitionState(topic, number, rows.PartitionRow())
                for number in range(topic.row.partitions)
            ]
            yield name, topic

    def _read_partitions(self) -> None:
        for topic in self.topics.values():
            for number in range(topic.row.partitions):
                key = rows.partition_key(topic.id, number)
                row = self.database.get(key)
                if row is not None:
                    stored = rows.unseal_struct(key, row, rows.PartitionRow)
                    topic.partitions[number] = PartitionState(topic, number, stored)

    def _read_commits(self) -> dict[str, dict[Partition, int]]:
        commits: dict[str, dict[Partition, int]] = {}
        for key, row in self.database.scan(*rows.COMMITS):
            group, partition = rows.read_commit_key(key)
            commits.setdefault(group, {})[partition] = rows.unseal_offset(key, row)
        return commits

    def _cut_torn_tail(self, state: PartitionState) -> None:
        found = self.database.last(*rows.batch_keys(state.topic.id, state.number))
        if found is None:
            return
        key, row = found
        try:
            rows.unseal_batch(key, row)
        except rows.RowBroken as error:
            self.torn[state.partition] = key
            if self._mend:
                self._cut(state, key, len(row), error)

    def _cut(self, state: PartitionState, key: bytes, size: int, error: rows.RowBroken) -> None:
        """Never reassigns the lost offsets, so that no reader confuses new records with old."""
        state.row.size_bytes = max(state.row.size_bytes - size, 0)
        state.row.next = state.next = state.assigned = max(state.next, rows.last_offset(key) + 1)
        partition_key = rows.partition_key(state.topic.id, state.number)
        write = Write()
        write.delete(key)
        write.put(partition_key, rows.seal_struct(partition_key, state.row))
        self.database.write(write)
        logger.warning(
            "torn_tail_cut_off",
            extra={
                "topic": state.topic.name,
                "partition": state.number,
                "next_offset": state.next,
                "reason": str(error),
            },
        )
