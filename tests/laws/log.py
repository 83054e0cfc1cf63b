"""What every log promises; run by tests/streams/embedded and tests/streams/kafka."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from streams.clock import SystemClock
from streams.log import (
    Batch,
    Draft,
    Log,
    LogClosed,
    OffsetTooOld,
    Partition,
    Record,
)
from streams.partitioner import partition_of
from streams.topics import Topic
from tests.patience import PATIENCE_S

NOW_MS = 1_750_000_000_000
PLAIN = Topic("plain")
OTHER = Topic("other")
SHORT = Topic("short", retention_ms=None, retention_bytes=4_000)
NEWEST = Topic("newest", retention_ms=None, compacted=True)
PARTITIONS = 4

Opener = Callable[[], Awaitable[Log]]


def draft(number: int, topic: Topic = PLAIN, key: bytes = b"1006503122", size: int = 0) -> Draft:
    return Draft(topic.name, key, b"%d" % number + b"." * size, NOW_MS + number)


def numbers(records: Sequence[Record]) -> list[int]:
    return [int((record.value or b"").rstrip(b".")) for record in records]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns when `condition` holds; fails when it does not come to hold."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.005)


async def take(batches: AsyncIterator[Batch], count: int) -> list[Record]:
    """The next `count` records, whatever partitions they are of; fails when they do not come."""
    found: list[Record] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            found.extend((await anext(batches)).records)
    return found


async def all_of(log: Log, topic: Topic) -> dict[Partition, list[Record]]:
    """Everything there is of a topic, by partition."""
    found: dict[Partition, list[Record]] = {}
    for partition, bounds in (await log.bounds(topic.name)).items():
        records: list[Record] = []
        position = bounds.first
        while batch := await log.read(partition, position, 100):
            records.extend(batch)
            position = batch[-1].offset + 1
        found[partition] = records
    return found


class LogLaws:
    """Subclasses give `opener`: each call opens the same, at first empty, log once more.

    Its retention and compaction must take effect within PATIENCE_S.
    """

    @pytest.fixture
    async def log(self, opener: Opener) -> AsyncIterator[Log]:
        log = await opener()
        for topic in (PLAIN, OTHER, SHORT, NEWEST):
            await log.create(topic, PARTITIONS)
        yield log
        await log.close()

    # -- topics

    async def test_an_existing_topic_keeps_its_partitions(self, log: Log) -> None:
        await log.create(PLAIN, PARTITIONS + 3)
        assert list(await log.partitions("plain")) == [Partition("plain", n) for n in range(4)]

    async def test_a_topic_that_is_not_there_has_no_partitions(self, log: Log) -> None:
        assert list(await log.partitions("nowhere")) == []
        assert await log.bounds("nowhere") == {}

    async def test_a_new_topic_is_empty(self, log: Log) -> None:
        for partition, bounds in (await log.bounds("plain")).items():
            assert bounds.first == bounds.next
            assert list(await log.read(partition, bounds.next, 10)) == []

    # -- appending

    async def test_appended_records_are_read_as_they_were_given(self, log: Log) -> None:
        headers = {"reason": b"broken_bytes", "bytes": bytes(range(256)), "": b""}
        given = Draft("plain", b"\x00\xff", bytes(range(256)) * 10, -5, headers)
        [(partition, offset)] = await log.append([given])
        [record] = await log.read(partition, offset, 10)
        assert record[:5] == (offset, -5, given.key, given.value, headers)

    async def test_a_record_says_when_it_was_appended_the_same_to_all(self, log: Log) -> None:
        before_ms = SystemClock().now_ms()
        batches = log.subscribe(["plain"])
        [(partition, offset)] = await log.append([draft(1)])
        after_ms = SystemClock().now_ms()
        [read] = await log.read(partition, offset, 1)
        assert await take(batches, 1) == [read]
        assert before_ms <= read.appended_ms <= after_ms
        assert read.first_appended_ms == read.appended_ms

    async def test_a_tombstone_is_not_an_empty_value(self, log: Log) -> None:
        places = await log.append([Draft("plain", b"1", None, 1), Draft("plain", b"1", b"", 2)])
        records = await log.read(*places[0], 10)
        assert [record.value for record in records] == [None, b""]

    async def test_records_of_a_partition_keep_their_order(self, log: Log) -> None:
        places = [place for n in range(50) for place in await log.append([draft(n)])]
        assert [offset for _, offset in places] == sorted({offset for _, offset in places})
        assert numbers(await log.read(*places[0], 100)) == list(range(50))

    async def test_many_drafts_are_appended_in_order(self, log: Log) -> None:
        places = await log.append([draft(n) for n in range(3_000)])
        records = (await all_of(log, PLAIN))[places[0][0]]
        assert numbers(records) == list(range(3_000))
        assert [record.offset for record in records] == [offset for _, offset in places]

    async def test_appending_nothing_is_nothing(self, log: Log) -> None:
        assert list(await log.append([])) == []

    async def test_places_are_where_the_records_are(self, log: Log) -> None:
        drafts = [draft(n, topic, b"%d" % n) for n in range(40) for topic in (PLAIN, OTHER)]
        for given, (partition, offset) in zip(drafts, await log.append(drafts), strict=True):
            assert partition.topic == given.topic
            [record] = await log.read(partition, offset, 1)
            assert (record.offset, record.value) == (offset, given.value)

    async def test_a_key_has_one_partition_everywhere(self, log: Log) -> None:
        keys = [b"%d" % key for key in range(200)]
        for topic in (PLAIN, OTHER):
            places = await log.append([draft(1, topic, key) for key in keys])
            assert [partition.number for partition, _ in places] == [
                partition_of(key, PARTITIONS) for key in keys
            ]

    async def test_concurrent_appends_lose_and_mix_nothing(self, log: Log) -> None:
        async def writer(key: int) -> None:
            for n in range(20):
                await log.append([draft(n, key=b"%d" % key), draft(n + 1000, key=b"%d" % key)])

        await asyncio.gather(*(writer(key) for key in range(50)))
        found = await all_of(log, PLAIN)
        for key in range(50):
            of_key = [
                number
                for records in found.values()
                for record, number in zip(records, numbers(records), strict=True)
                if record.key == b"%d" % key
            ]
            assert of_key == [number for n in range(20) for number in (n, n + 1000)]

    async def test_a_saturated_log_takes_everything_in_the_end(self, log: Log) -> None:
        drafts = [draft(n, key=b"%d" % (n % 16), size=100_000) for n in range(400)]
        await asyncio.gather(*(log.append([each]) for each in drafts))
        found = await all_of(log, PLAIN)
        assert sorted(n for records in found.values() for n in numbers(records)) == [*range(400)]

    async def test_what_is_acknowledged_is_there_after_a_reopening(
        self, log: Log, opener: Opener
    ) -> None:
        places = await log.append([draft(n, key=b"%d" % n) for n in range(100)])
        await log.commit("history", {places[0][0]: 7})
        before = await all_of(log, PLAIN)
        await log.close()
        reopened = await opener()
        assert await all_of(reopened, PLAIN) == before
        assert await reopened.committed("history") == {places[0][0]: 7}
        [(partition, offset)] = await reopened.append([draft(100, key=b"0")])
        assert (partition, offset) == (partition, before[partition][-1].offset + 1)
        await reopened.close()

    # -- reading

    async def test_read_starts_at_the_offset_and_stops_at_the_count(self, log: Log) -> None:
        places = await log.append([draft(n) for n in range(10)])
        assert numbers(await log.read(*places[4], 3)) == [4, 5, 6]

    async def test_at_the_end_there_is_nothing_to_read(self, log: Log) -> None:
        [(partition, offset)] = await log.append([draft(1)])
        assert list(await log.read(partition, offset + 1, 10)) == []

    async def test_bounds_follow_what_is_appended(self, log: Log) -> None:
        places = await log.append([draft(n) for n in range(10)])
        bounds = (await log.bounds("plain"))[places[0][0]]
        assert (bounds.first, bounds.next) == (places[0][1], places[-1][1] + 1)

    async def test_read_below_the_first_offset_says_so(self, log: Log) -> None:
        [(partition, gone)] = await log.append([draft(0, SHORT)])
        for n in range(1, 50):
            await log.append([draft(n, SHORT, size=500)])

        async def trimmed() -> bool:
            return (await log.bounds("short"))[partition].first > gone

        await until(trimmed)
        with pytest.raises(OffsetTooOld) as raised:
            await log.read(partition, gone, 10)
        floor = (await log.bounds("short"))[partition].first
        assert (raised.value.partition, raised.value.offset) == (partition, gone)
        assert gone < raised.value.floor <= floor
        with pytest.raises(OffsetTooOld):
            await anext(log.subscribe(["short"], {partition: gone}))

    async def test_retention_by_size_keeps_the_newest(self, log: Log) -> None:
        for n in range(100):
            [(partition, _)] = await log.append([draft(n, SHORT, size=500)])

        async def trimmed() -> bool:
            bounds = (await log.bounds("short"))[partition]
            return bounds.next - bounds.first < 20

        await until(trimmed)
        kept = numbers((await all_of(log, SHORT))[partition])
        assert len(kept) >= 4
        assert kept == list(range(100 - len(kept), 100))

    # -- subscribing

    async def test_a_subscription_starts_at_the_end(self, log: Log) -> None:
        await log.append([draft(n) for n in range(5)])
        batches = log.subscribe(["plain"])
        await log.append([draft(5)])
        assert numbers(await take(batches, 1)) == [5]

    async def test_a_subscription_from_an_offset_reads_on_into_the_present(self, log: Log) -> None:
        places = await log.append([draft(n) for n in range(1_000)])
        batches = log.subscribe(["plain"], {places[0][0]: places[10][1]}, max_records=70)
        old = await take(batches, 990)
        await log.append([draft(1_000)])
        assert numbers(old + await take(batches, 1)) == list(range(10, 1_001))

    async def test_no_batch_is_larger_than_asked_or_of_two_partitions(self, log: Log) -> None:
        await log.append([draft(n, key=b"%d" % n) for n in range(400)])
        start = {each: bounds.first for each, bounds in (await log.bounds("plain")).items()}
        batches = log.subscribe(["plain"], start, max_records=7)
        seen = 0
        while seen < 400:
            batch = await anext(batches)
            assert 0 < len(batch.records) <= 7
            assert batch.next_offset == batch.records[-1].offset + 1
            for record in batch.records:
                assert partition_of(record.key or b"", PARTITIONS) == batch.partition.number
            seen += len(batch.records)

    async def test_a_reader_resumes_without_loss_or_repeat(self, log: Log, opener: Opener) -> None:
        tokens = {each: bounds.first for each, bounds in (await log.bounds("plain")).items()}
        await log.append([draft(n, key=b"%d" % n) for n in range(300)])
        found: list[int] = []
        for _ in range(12):
            batches = log.subscribe(["plain"], tokens, max_records=25)
            batch = await anext(batches)
            found.extend(numbers(batch.records))
            tokens[batch.partition] = batch.next_offset
            await batches.aclose()  # type: ignore[attr-defined]
        rest = await take(log.subscribe(["plain"], tokens), 300 - len(found))
        assert sorted(found + numbers(rest)) == list(range(300))

    async def test_every_subscriber_gets_everything(self, log: Log) -> None:
        readers = [log.subscribe(["plain", "other"]) for _ in range(10)]
        tasks = [asyncio.create_task(take(reader, 200)) for reader in readers]
        for n in range(100):
            await log.append([draft(n), draft(n, OTHER)])
        for task in tasks:
            assert sorted(numbers(await task)) == sorted([*range(100), *range(100)])

    async def test_a_subscription_waits_for_a_topic_to_come(self, log: Log) -> None:
        batches = log.subscribe(["later"])
        reader = asyncio.create_task(take(batches, 1))
        await log.create(Topic("later"), 2)
        await log.append([draft(1, Topic("later"))])
        assert numbers(await reader) == [1]

    async def test_closing_a_subscription_ends_it(self, log: Log) -> None:
        batches = log.subscribe(["plain"])
        await log.append([draft(1)])
        await anext(batches)
        await batches.aclose()  # type: ignore[attr-defined]
        with pytest.raises(StopAsyncIteration):
            await anext(batches)

    # -- committing

    async def test_groups_have_offsets_of_their_own(self, log: Log) -> None:
        first, second = list(await log.partitions("plain"))[:2]
        await log.commit("history", {first: 5, second: 6})
        await log.commit("bot", {first: 1})
        await log.commit("history", {first: 7})
        assert await log.committed("history") == {first: 7, second: 6}
        assert await log.committed("bot") == {first: 1}
        assert await log.committed("nobody") == {}

    async def test_an_offset_may_be_committed_back(self, log: Log) -> None:
        first = next(iter(await log.partitions("plain")))
        await log.commit("history", {first: 5})
        await log.commit("history", {first: 0})
        assert await log.committed("history") == {first: 0}

    # -- compacting

    async def test_compaction_keeps_the_newest_of_every_key(self, log: Log, opener: Opener) -> None:
        places = {}
        for n in range(60):
            for key in range(10):
                [place] = await log.append([draft(n, NEWEST, b"%d" % key, size=200)])
                places[b"%d" % key] = place
        last = max(number for number in range(60))

        async def compacted() -> bool:
            return sum(map(len, (await all_of(log, NEWEST)).values())) < 300

        await until(compacted)
        newest: dict[bytes | None, tuple[Partition, int]] = {}
        for partition, records in (await all_of(log, NEWEST)).items():
            offsets = [record.offset for record in records]
            assert offsets == sorted(set(offsets))
            newest.update((record.key, (partition, record.offset)) for record in records)
        assert newest == places
        for partition, offset in places.values():
            assert numbers(await log.read(partition, offset, 1)) == [last]

    async def test_a_compacted_partition_reads_on_over_its_gaps(self, log: Log) -> None:
        for n in range(500):
            [(partition, first)] = await log.append([draft(n, NEWEST, size=200)])

        async def compacted() -> bool:
            return len((await all_of(log, NEWEST))[partition]) < 100

        await until(compacted)
        await log.append([draft(500, NEWEST)])
        start = (await log.bounds("newest"))[partition].first
        batches = log.subscribe(["newest"], {partition: start})
        seen: list[int] = []
        while not seen or seen[-1] != 500:
            seen.extend(numbers((await anext(batches)).records))
        assert seen == sorted(set(seen))
        assert first > start

    # -- closing

    async def test_a_closed_log_says_so(self, opener: Opener) -> None:
        log = await opener()
        await log.create(PLAIN, PARTITIONS)
        batches = log.subscribe(["plain"])
        reader = asyncio.create_task(take(batches, 1))
        await asyncio.sleep(0)
        await log.close()
        with pytest.raises(LogClosed):
            await reader
        with pytest.raises(LogClosed):
            await log.append([draft(1)])
        with pytest.raises(LogClosed):
            await log.commit("history", {})
        with pytest.raises(LogClosed):
            await log.read(Partition("plain", 0), 0, 1)

    async def test_closing_twice_is_closing_once(self, opener: Opener) -> None:
        log = await opener()
        await log.close()
        await log.close()

    async def test_closing_acknowledges_what_it_had_taken(self, opener: Opener) -> None:
        log = await opener()
        await log.create(PLAIN, PARTITIONS)
        appends = [asyncio.create_task(log.append([draft(n)])) for n in range(100)]
        await asyncio.sleep(0)
        await log.close()
        acknowledged = 0
        for append in appends:
            with contextlib.suppress(LogClosed):
                acknowledged += len(await append)
        reopened = await opener()
        found = numbers([r for rs in (await all_of(reopened, PLAIN)).values() for r in rs])
        assert found[:acknowledged] == list(range(acknowledged))
        await reopened.close()
