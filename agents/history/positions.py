"""What history stores, and how far it is in it."""

from collections.abc import Awaitable, Callable, Collection

from streams import kinds
from streams.log import Assignment, Log, Member, NotOwner, Offsets, Partition
from streams.topics import UPDATES

#: What is stored; agents.pipeline names it.
READS = (UPDATES, *kinds.TOPICS)
TOPICS = tuple(topic.name for topic in READS)


def is_at(position: Offsets, offsets: Offsets) -> bool:
    """Whether `position` has reached `offsets`, of the topics that are stored."""
    return all(
        position.get(partition, -1) >= offset
        for partition, offset in offsets.items()
        if partition.topic in TOPICS
    )


async def ends_of(log: Log, partitions: Collection[Partition]) -> Offsets:
    """The next offset that the log will give out in each of the partitions."""
    return {
        partition: bounds.next
        for topic in TOPICS
        for partition, bounds in (await log.bounds(topic)).items()
        if partition in partitions
    }


def still(member: Member, assignment: Assignment) -> Callable[[], Awaitable[None]]:
    """What raises NotOwner once the member's assignment is another."""

    async def check() -> None:
        if (await member.assignment()).partitions != assignment.partitions:
            raise NotOwner("the assignment was handed out anew")

    return check
