"""The topics that history stores, and positions in them."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from streams.kinds import KINDS
from streams.known import Kinds
from streams.log import Assignment, Log, Member, NotOwner, Offsets, Partition
from streams.topics import UPDATES, Topic


def reads(kinds: Kinds) -> tuple[Topic, ...]:
    """The topics that are stored, given the known kinds."""
    return (UPDATES, *kinds.topics)


#: The topics of the program's own kinds.
READS = reads(KINDS)
TOPICS = tuple(topic.name for topic in READS)


def is_at(position: Offsets, offsets: Offsets, topics: Collection[str] = TOPICS) -> bool:
    """Whether `position` has reached `offsets` in the topics that are stored."""
    return all(
        position.get(partition, -1) >= offset
        for partition, offset in offsets.items()
        if partition.topic in topics
    )


async def ends_of(
    log: Log, partitions: Collection[Partition], topics: Sequence[str] = TOPICS
) -> Offsets:
    """The next offset of each of the partitions."""
    return {
        partition: bounds.next
        for topic in topics
        for partition, bounds in (await log.bounds(topic)).items()
        if partition in partitions
    }


def still(member: Member, assignment: Assignment) -> Callable[[], Awaitable[None]]:
    """A check that raises NotOwner once the member's assignment has changed."""

    async def check() -> None:
        if (await member.assignment()).partitions != assignment.partitions:
            raise NotOwner("the partitions were reassigned")

    return check
