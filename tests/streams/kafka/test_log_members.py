"""Members of one group on a real broker: who has what, and what is refused."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from streams.kafka import groups
from streams.kafka.brokers import Brokers
from streams.kafka.groups import Membership
from streams.kafka.log import KafkaLog
from streams.kafka.member import KafkaMember
from streams.kafka.settings import settings_of
from streams.log import Assignment, Member, NotOwner, OffsetRange, Partition
from streams.partitioner import partition_of
from streams.topics import Topic
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.laws.log import draft, take
from tests.laws.member import assignment_of
from tests.patience import BUSY, PATIENCE_S

PARTITIONS = 6


@pytest.fixture
async def log(kafka: Cluster | Running) -> AsyncIterator[KafkaLog]:
    log = await KafkaLog.open(settings_of(f"{kafka.url}?session_ms={kafka.session_ms}"))
    yield log
    await log.close()


@pytest.fixture
async def topic(log: KafkaLog) -> Topic:
    topic = Topic(unique("shared"))
    await log.create(topic, PARTITIONS)
    return topic


async def shared_out(members: Sequence[Member], count: int = PARTITIONS) -> list[Assignment]:
    """The shares once everything is one member's, and every member has something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            shares = [await member.assignment() for member in members]
            all_of = [each for share in shares for each in share.partitions]
            if len(all_of) == len(set(all_of)) == count and all(s.partitions for s in shares):
                return shares
            await asyncio.sleep(0.02)


async def test_one_number_of_every_topic_is_one_members(log: KafkaLog) -> None:
    """What is observed of a channel and what was decided of it: also where it does not add up."""
    topics = [Topic(unique(name)) for name in ("observed", "decided", "alerts")]
    for topic in topics:
        await log.create(topic, 4)
    group = unique("group")
    members = [await log.join(group, [topic.name for topic in topics]) for _ in range(3)]
    for share in await shared_out(members, 12):
        numbers = [{at.number for at in share.partitions if at.topic == t.name} for t in topics]
        assert numbers[0] == numbers[1] == numbers[2]


async def test_members_share_everything_and_nothing_twice(log: KafkaLog, topic: Topic) -> None:
    group = unique("group")
    members: list[Member] = []
    for count in (1, 2, 3):
        members.append(await log.join(group, [topic.name]))
        sizes = [len(share.partitions) for share in await shared_out(members)]
        assert sizes == [PARTITIONS // count] * count
    await members.pop(0).leave()
    sizes = [len(share.partitions) for share in await shared_out(members)]
    assert sizes == [3, 3]


async def test_a_share_that_is_handed_out_anew_holds_no_longer(log: KafkaLog, topic: Topic) -> None:
    group = unique("group")
    first = await log.join(group, [topic.name])
    [before] = await shared_out([first])
    batches = first.read(dict.fromkeys(before.partitions, 0))
    await log.append([draft(1, topic)])
    assert len(await take(batches, 1)) == 1
    second = await log.join(group, [topic.name])
    with pytest.raises(NotOwner):
        async with asyncio.timeout(PATIENCE_S):
            await anext(batches)
    mine, others = await shared_out([first, second])
    [other, *_] = others.partitions
    for refused in (
        first.finish({other: 5}),
        first.begin({other: OffsetRange(0, 5)}),
        anext(first.read({other: 0})),
    ):
        with pytest.raises(NotOwner):
            await refused
    [own, *_] = mine.partitions
    await first.finish({own: 1})
    assert await log.committed(group) == {own: 1}


async def test_the_broker_refuses_what_belongs_to_an_older_share(
    kafka: Cluster | Running, log: KafkaLog, topic: Topic
) -> None:
    """As of a process that stood still while the partitions were handed out anew."""
    group = unique("group")
    first = await log.join(group, [topic.name])
    assert isinstance(first, KafkaMember)
    [at, *_] = (await assignment_of(first)).partitions
    stale = Membership(first._coordinator.generation, first._coordinator.member_id)
    second = await log.join(group, [topic.name])
    await shared_out([first, second])
    brokers = await Brokers.connect(settings_of(kafka.url))
    for membership in (stale, Membership(stale.generation + 1, "somebody")):
        with pytest.raises(NotOwner):
            await groups.commit(brokers, group, {at: (9, "")}, membership)
    await brokers.close()
    with pytest.raises(NotOwner, match="only they commit"):
        await log.commit(group, {at: 9})
    assert await log.committed(group) == {}


async def test_who_is_silent_for_a_session_has_left(
    kafka: Cluster | Running, log: KafkaLog, topic: Topic
) -> None:
    group = unique("group")
    first = await log.join(group, [topic.name])
    assert isinstance(first, KafkaMember)
    second = await log.join(group, [topic.name])
    await shared_out([first, second])
    # As a process that is killed: it says nothing more, not even that it leaves.
    await first._abandon()
    loop = asyncio.get_running_loop()
    before = loop.time()
    [share] = await shared_out([second])
    assert len(share.partitions) == PARTITIONS
    assert loop.time() - before < BUSY * kafka.session_ms / 1000


async def test_an_instance_that_is_back_in_time_disturbs_nobody(
    kafka: Cluster | Running, log: KafkaLog, topic: Topic
) -> None:
    group = unique("group")
    other = await KafkaLog.open(settings_of(f"{kafka.url}?session_ms=20000"))
    first = await other.join(group, [topic.name], instance="a")
    second = await log.join(group, [topic.name], instance="b")
    before, others = await shared_out([first, second])
    batches = second.read(dict.fromkeys(others.partitions, 0))
    reading = asyncio.create_task(take(batches, 1))
    await other.close()
    back = await KafkaLog.open(settings_of(f"{kafka.url}?session_ms=20000"))
    first = await back.join(group, [topic.name], instance="a")
    assert sorted((await assignment_of(first)).partitions) == sorted(before.partitions)
    key = next(
        b"%d" % n for n in range(100) if Partition(topic.name, partition(b"%d" % n)) in others[0]
    )
    await log.append([draft(1, topic, key)])
    assert len(await reading) == 1
    await back.close()


def partition(key: bytes) -> int:
    return partition_of(key, PARTITIONS)
