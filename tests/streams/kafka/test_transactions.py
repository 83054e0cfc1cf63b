"""A task's transactions on a real broker: all or nothing, and nobody but the last owner."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from streams.kafka.changelogs import Changelogs
from streams.kafka.settings import client_options, settings_of
from streams.kafka.state import State
from streams.kafka.tasks import Tasks, TaskSettings
from streams.kafka.transaction import Outgoing, TaskLost, Transactions, _batches
from streams.log import Log, Partition, Record
from streams.metrics import Metrics
from streams.opening import open_log
from streams.topics import Topic
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.laws.log import until

TIMEOUT_S = 5.0


class Desk:
    """A log with one output topic and one changelog, and producers of one task on them."""

    def __init__(self, log: Log, url: str) -> None:
        self.log = log
        self.client = client_options(settings_of(url))
        self.group = unique("group")
        self.output = Topic(unique("output"))
        self.changelog = Topic(unique("changelog"), retention_ms=None, compacted=True)
        self.input = Partition(self.output.name, 1)
        self.open: list[Transactions] = []

    async def transactions(self) -> Transactions:
        made = Transactions(self.client, self.group, 0, TIMEOUT_S)
        self.open.append(made)
        await made.start()
        return made

    async def commit(self, by: Transactions, number: int) -> dict[Partition, int]:
        record = Outgoing(b"key", b"%d" % number, number, {"n": b"%d" % number})
        row = Outgoing(b"row", b"%d" % number, None, {})
        written = {self.at(self.output): [record], self.at(self.changelog): [row]}
        return await by.commit(written, {self.input: number})

    @staticmethod
    def at(topic: Topic) -> Partition:
        return Partition(topic.name, 0)

    async def values(self, topic: Topic, count: int) -> list[bytes | None]:
        """The first ones; brokers show a transaction a moment after they have committed it."""
        found: list[Record] = []

        async def shown() -> bool:
            found[:] = await self.log.read(self.at(topic), 0, 100_000)
            return len(found) >= count

        await until(shown)
        return [record.value for record in found]

    async def has_read(self, offset: int) -> None:
        """Returns when the group's offset has come to be that."""

        async def shown() -> bool:
            return await self.log.committed(self.group) == {self.input: offset}

        await until(shown)


@pytest.fixture
async def desk(kafka: Cluster | Running) -> AsyncIterator[Desk]:
    log = await open_log(kafka.url)
    desk = Desk(log, kafka.url)
    for topic in (desk.output, desk.changelog):
        await log.create(topic, 2)
    yield desk
    for each in desk.open:
        await each.close()
    await log.close()


async def test_outputs_rows_and_offsets_are_one(desk: Desk) -> None:
    owner = await desk.transactions()
    ends = await desk.commit(owner, 1)
    assert ends == {desk.at(desk.output): 1, desk.at(desk.changelog): 1}
    assert await desk.values(desk.output, 1) == [b"1"]
    [record] = await desk.log.read(desk.at(desk.output), 0, 10)
    assert (record.value, record.timestamp_ms, record.headers) == (b"1", 1, {"n": b"1"})
    assert await desk.values(desk.changelog, 1) == [b"1"]
    await desk.has_read(1)


async def test_whoever_starts_shuts_out_the_one_before(desk: Desk) -> None:
    before = await desk.transactions()
    await desk.commit(before, 1)
    after = await desk.transactions()
    with pytest.raises(TaskLost):
        await desk.commit(before, 2)
    await desk.commit(after, 3)
    assert await desk.values(desk.output, 2) == [b"1", b"3"]
    assert await desk.values(desk.changelog, 2) == [b"1", b"3"]
    await desk.has_read(3)


async def test_what_was_left_open_is_ended_by_the_next(desk: Desk) -> None:
    before: Any = await desk.transactions()
    producer = before._producer
    await producer.begin_transaction()
    for batch in _batches(producer, [Outgoing(b"key", b"open", 1, {})]):
        await (await producer.send_batch(batch, desk.output.name, partition=0))
    after = await desk.transactions()
    await desk.commit(after, 2)
    assert await desk.values(desk.output, 1) == [b"2"]


async def test_an_owner_that_has_nothing_to_write_can_still_move_on(desk: Desk) -> None:
    owner = await desk.transactions()
    assert await owner.commit({}, {desk.input: 5}) == {}
    await desk.has_read(5)


async def test_more_than_a_batch_keeps_its_order(desk: Desk) -> None:
    owner = await desk.transactions()
    many = [Outgoing(b"key", b"%d." % n + b"." * 9_000, n, {}) for n in range(300)]
    ends = await owner.commit({desk.at(desk.output): many}, {})
    assert ends == {desk.at(desk.output): 300}
    found = await desk.values(desk.output, 300)
    assert [int((value or b"").rstrip(b".")) for value in found] == [*range(300)]


class TestChangelogs:
    @pytest.fixture
    def state(self, tmp_path: Any) -> Any:
        state = State(tmp_path)
        yield state
        state.close()

    def changelogs(self, desk: Desk, state: State) -> Changelogs:
        topics = {"posts": desk.changelog.name}
        return Changelogs(desk.client, topics, state, desk.group, Metrics())

    async def test_all_that_is_committed_is_restored_once(self, desk: Desk, state: State) -> None:
        owner = await desk.transactions()
        for number in range(1, 6):
            await desk.commit(owner, number)
        await desk.values(desk.changelog, 5)
        changelogs = self.changelogs(desk, state)
        assert (await changelogs.restore([0])).records == 5
        assert dict(state.items("posts", [0])) == {b"row": b"5"}
        assert (await changelogs.restore([0])).records == 0

    async def test_only_what_came_since_is_read(self, desk: Desk, state: State) -> None:
        owner = await desk.transactions()
        await desk.commit(owner, 1)
        await desk.values(desk.changelog, 1)
        await self.changelogs(desk, state).restore([0])
        await desk.commit(owner, 2)
        await desk.values(desk.changelog, 2)
        assert (await self.changelogs(desk, state).restore([0])).records == 1
        assert state.row(0, "posts", b"row") == b"2"

    async def test_an_empty_changelog_is_restored_at_once(self, desk: Desk, state: State) -> None:
        assert (await self.changelogs(desk, state).restore([0, 1])).records == 0
        assert state.warm(["posts"]) == {0, 1}

    async def test_a_position_beyond_the_end_belongs_to_another_log(
        self, desk: Desk, state: State, caplog: pytest.LogCaptureFixture
    ) -> None:
        owner = await desk.transactions()
        await desk.commit(owner, 1)
        await desk.values(desk.changelog, 1)
        state.apply(0, "posts", [(b"stranger", b"1")], 1_000)
        await self.changelogs(desk, state).restore([0])
        assert dict(state.items("posts", [0])) == {b"row": b"1"}
        [told] = caplog.records
        assert (told.message, told.table) == ("changelog_shorter_read_anew", "posts")  # type: ignore[attr-defined]
        assert (told.records_lost, told.rows_here) == (998, 1)  # type: ignore[attr-defined]

    async def test_rows_that_the_changelog_lost_are_kept_and_written_again(
        self, desk: Desk, state: State, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nobody has gone on since this worker committed: its rows are the truth."""
        owner = await desk.transactions()
        await desk.commit(owner, 1)
        await desk.has_read(1)
        await desk.values(desk.changelog, 1)
        state.apply(0, "posts", [(b"row", b"1"), (b"lost", b"2")], 1_000)
        state.settle(0, {"posts": 1_000}, {desk.input: 1})
        tasks = Tasks(
            TaskSettings(client=desk.client, group=desk.group),
            state,
            {"posts": desk.changelog.name},
            Metrics(),
            {},
        )
        await tasks.take_over([0], [])
        assert await tasks.commit({}) == set()
        assert dict(state.items("posts", [0])) == {b"row": b"1", b"lost": b"2"}
        await tasks.give_up_all()
        told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
        assert told == ["changelog_shorter_rows_kept", "changelog_written_again"]
        emptied = State(tmp_path / "emptied")
        await self.changelogs(desk, emptied).restore([0])
        assert dict(emptied.items("posts", [0])) == {b"row": b"1", b"lost": b"2"}
        emptied.close()

    async def test_what_is_left_of_a_changelog_is_read_over_the_rows(
        self, desk: Desk, state: State, caplog: pytest.LogCaptureFixture
    ) -> None:
        desk.changelog = Topic(unique("changelog"))
        await desk.log.create(desk.changelog, 2)
        owner = await desk.transactions()
        for number in range(1, 4):
            await desk.commit(owner, number)
        await desk.values(desk.changelog, 3)
        state.apply(0, "posts", [(b"older", b"0")], 1)
        admin = AIOKafkaAdminClient(**desk.client)
        await admin.start()
        await admin.delete_records(
            {TopicPartition(desk.changelog.name, 0): RecordsToDelete(before_offset=4)}
        )
        await admin.close()
        await self.changelogs(desk, state).restore([0])
        assert dict(state.items("posts", [0])) == {b"older": b"0", b"row": b"3"}
        [told] = caplog.records
        assert (told.message, told.records_lost) == ("changelog_begins_later", 3)  # type: ignore[attr-defined]
