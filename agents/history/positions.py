"""What history stores, and how far it is in it."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from streams.kinds import KINDS
from streams.known import Kinds
from streams.log import Assignment, Log, Member, NotOwner, Offsets, Partition
from streams.topics import UPDATES, Topic


def reads(kinds: Kinds) -> tuple[Topic, ...]:
    """What is stored where these kinds are known."""
    return (UPDATES, *kinds.topics)


#: What is stored of the program's own kinds.
READS = reads(KINDS)
TOPICS = tuple(topic.name for topic in READS)


def is_at(position: Offsets, offsets: Offsets, topics: Collection[str] = TOPICS) -> bool:
    """Whether `position` has reached `offsets`, of the topics that are stored."""
    return all(
        position.get(partition, -1) >= offset
        for partition, offset in offsets.items()
        if partition.topic in topics
    )


async def ends_of(
    log: Log, partitions: Collection[Partition], topics: Sequence[str] = TOPICS
) -> Offsets:
    """The next offset that the log will give out in each of the partitions."""
    return {
        partition: bounds.next
        for topic in topics
        for partition, bounds in (await log.bounds(topic)).items()
        if partition in partitions
    }


def still(member: Member, assignment: Assignment) -> Callable[[], Awaitable[None]]:
    """What raises NotOwner once the member's assignment is another."""

    async def check() -> None:
        if (await member.assignment()).partitions != assignment.partitions:
            raise NotOwner("the partitions were reassigned")

    return check
