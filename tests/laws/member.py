"""What every member of a group promises, whatever the log; one member at a time here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest

from streams.log import Assignment, Log, LogClosed, Member, OffsetRange, Partition
from streams.topics import Topic
from tests.laws.log import draft, numbers, take
from tests.patience import PATIENCE_S

FIRST, SECOND = Topic("first"), Topic("second")
TOPICS = (FIRST.name, SECOND.name)
PARTITIONS = 2
GROUP = "sharers"

Opener = Callable[[], Awaitable[Log]]


async def assignment_of(member: Member) -> Assignment:
    async with asyncio.timeout(PATIENCE_S):
        return await member.assignment()


class MemberLaws:
    """Subclasses give `opener`: each call opens the same, at first empty, log once more."""

    @pytest.fixture
    async def log(self, opener: Opener) -> AsyncIterator[Log]:
        log = await opener()
        for topic in (FIRST, SECOND):
            await log.create(topic, PARTITIONS)
        yield log
        await log.close()

    async def test_a_lonely_member_has_everything(self, log: Log) -> None:
        member = await log.join(GROUP, TOPICS)
        assignment = await assignment_of(member)
        assert sorted(assignment.partitions) == [Partition(t, n) for t in TOPICS for n in range(2)]
        assert (assignment.committed, assignment.begun) == ({}, [])
        await member.leave()

    async def test_it_reads_what_it_asks_for_into_the_present(self, log: Log) -> None:
        places = await log.append([draft(n, FIRST) for n in range(10)])
        member = await log.join(GROUP, TOPICS)
        await assignment_of(member)
        batches = member.read({places[0][0]: places[4][1]}, max_records=3)
        assert numbers(await take(batches, 6)) == [4, 5, 6, 7, 8, 9]
        await log.append([draft(10, FIRST)])
        assert numbers(await take(batches, 1)) == [10]
        await member.leave()

    async def test_what_is_finished_is_committed(self, log: Log) -> None:
        member = await log.join(GROUP, TOPICS)
        [at, other, *_] = (await assignment_of(member)).partitions
        await member.finish({at: 5})
        await member.finish({other: 7})
        await member.finish({at: 6})
        assert await log.committed(GROUP) == {at: 6, other: 7}
        assert (await assignment_of(member)).committed == {at: 6, other: 7}
        await member.leave()

    async def test_who_comes_next_goes_on_from_there(self, log: Log, opener: Opener) -> None:
        first = await log.join(GROUP, TOPICS)
        [at, *_] = (await assignment_of(first)).partitions
        await first.finish({at: 5})
        await first.leave()
        later = await opener()
        second = await later.join(GROUP, TOPICS)
        assignment = await assignment_of(second)
        assert len(assignment.partitions) == 4
        assert assignment.committed == {at: 5}
        await later.close()

    async def test_what_was_begun_is_there_for_who_comes_next(
        self, log: Log, opener: Opener
    ) -> None:
        first = await log.join(GROUP, TOPICS)
        [at, other, third, _] = (await assignment_of(first)).partitions
        await first.finish({at: 5, other: 7, third: 9})
        ranges = {at: OffsetRange(5, 11), other: OffsetRange(7, 8)}
        await first.begin(ranges)
        assert (await assignment_of(first)).begun == [ranges]
        await first.leave()
        later = await opener()
        second = await later.join(GROUP, TOPICS)
        assignment = await assignment_of(second)
        assert assignment.begun == [ranges]
        assert assignment.committed == {at: 5, other: 7, third: 9}
        await second.finish({at: 11, other: 8})
        assignment = await assignment_of(second)
        assert assignment.begun == []
        assert assignment.committed == {at: 11, other: 8, third: 9}
        await later.close()

    async def test_what_is_begun_replaces_what_was_begun(self, log: Log) -> None:
        member = await log.join(GROUP, TOPICS)
        [at, *_] = (await assignment_of(member)).partitions
        await member.finish({at: 5})
        await member.begin({at: OffsetRange(5, 11)})
        await member.begin({at: OffsetRange(5, 20)})
        assert (await assignment_of(member)).begun == [{at: OffsetRange(5, 20)}]
        await member.leave()

    async def test_who_has_left_is_no_member(self, log: Log) -> None:
        member = await log.join(GROUP, TOPICS)
        [at, *_] = (await assignment_of(member)).partitions
        await member.leave()
        await member.leave()
        with pytest.raises(LogClosed):
            await member.finish({at: 5})
        with pytest.raises(LogClosed):
            await member.begin({at: OffsetRange(5, 6)})
        with pytest.raises(LogClosed):
            await member.assignment()
        assert await log.committed(GROUP) == {}

    async def test_a_closed_log_ends_its_members(self, log: Log) -> None:
        member = await log.join(GROUP, TOPICS)
        [at, *_] = (await assignment_of(member)).partitions

        async def reading() -> None:
            async with aclosing(member.read({at: 0})) as batches:  # type: ignore[type-var]
                await anext(batches)

        reader = asyncio.create_task(reading())
        await asyncio.sleep(0)
        await log.close()
        with pytest.raises(LogClosed):
            async with asyncio.timeout(PATIENCE_S):
                await reader
        with pytest.raises(LogClosed):
            await member.finish({at: 5})
