"""A partition and its topic in the memory of the process."""

from streams.embedded.rows import PartitionRow, TopicRow
from streams.log import Bounds, Partition
from streams.topics import Topic

CHANGELOG = "-changelog"


class PartitionState:
    """The bounds of one partition.

    The writer's thread owns `row`, the stored part. The event loop owns everything else, but for
    `first`, which retention raises on the writer's thread.
    """

    __slots__ = ("assigned", "first", "next", "partition", "row", "topic")

    def __init__(self, topic: "TopicState", number: int, row: PartitionRow) -> None:
        self.topic = topic
        self.partition = Partition(topic.name, number)
        self.row = row
        #: Readers get nothing below it.
        self.first = row.first
        #: Records from it on are not durable yet; readers do not get them.
        self.next = row.next
        #: The offset of the next accepted record.
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
        """Whether the topic is a table's changelog: only recovery reads it, from its start."""
        return self.name.endswith(CHANGELOG)

    @property
    def compacted(self) -> bool:
        return self.row.compacted or self.changelog


def row_of(topic: Topic, topic_id: int, partitions: int) -> TopicRow:
    return TopicRow(
        topic_id, partitions, topic.retention_ms, topic.retention_bytes, topic.compacted
    )
