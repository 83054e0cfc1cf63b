"""A partition and its topic, as the process holds them in memory."""

from streams.embedded.rows import PartitionRow, TopicRow
from streams.log import Bounds, Partition
from streams.topics import Topic

CHANGELOG = "-changelog"


class PartitionState:
    """Bounds of one partition.

    `row` is what is stored and belongs to the writer's thread; all else belongs to the event loop.
    """

    __slots__ = ("assigned", "first", "next", "partition", "row", "topic")

    def __init__(self, topic: "TopicState", number: int, row: PartitionRow) -> None:
        self.topic = topic
        self.partition = Partition(topic.name, number)
        self.row = row
        #: Nothing below it is read.
        self.first = row.first
        #: Nothing from it on is durable yet, so nothing from it on is read.
        self.next = row.next
        #: The offset that the next accepted record gets.
        self.assigned = row.next

    @property
    def number(self) -> int:
        return self.partition.number

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.first, self.next)


class TopicState:
    __slots__ = ("id", "name", "partitions", "row")

    def __init__(self, name: str, row: TopicRow) -> None:
        self.name = name
        self.id = row.id
        self.row = row
        self.partitions: list[PartitionState] = []

    @property
    def changelog(self) -> bool:
        """Whether it is a table's changelog, which only recovery reads, and from its start."""
        return self.name.endswith(CHANGELOG)

    @property
    def compacted(self) -> bool:
        return self.row.compacted or self.changelog


def row_of(topic: Topic, topic_id: int, partitions: int) -> TopicRow:
    return TopicRow(
        topic_id, partitions, topic.retention_ms, topic.retention_bytes, topic.compacted
    )
