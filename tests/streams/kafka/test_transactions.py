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


class Owners:
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
async def owners(kafka: Cluster | Running) -> AsyncIterator[Owners]:
    log = await open_log(kafka.url)
    owners = Owners(log, kafka.url)
    for topic in (owners.output, owners.changelog):
        await log.create(topic, 2)
    yield owners
    for each in owners.open:
        await each.close()
    await log.close()


async def test_outputs_rows_and_offsets_are_one(owners: Owners) -> None:
    owner = await owners.transactions()
    ends = await owners.commit(owner, 1)
    assert ends == {owners.at(owners.output): 1, owners.at(owners.changelog): 1}
    assert await owners.values(owners.output, 1) == [b"1"]
    [record] = await owners.log.read(owners.at(owners.output), 0, 10)
    assert (record.value, record.timestamp_ms, record.headers) == (b"1", 1, {"n": b"1"})
    assert await owners.values(owners.changelog, 1) == [b"1"]
    await owners.has_read(1)


async def test_whoever_starts_shuts_out_the_one_before(owners: Owners) -> None:
    before = await owners.transactions()
    await owners.commit(before, 1)
    after = await owners.transactions()
    with pytest.raises(TaskLost):
        await owners.commit(before, 2)
    await owners.commit(after, 3)
    assert await owners.values(owners.output, 2) == [b"1", b"3"]
    assert await owners.values(owners.changelog, 2) == [b"1", b"3"]
    await owners.has_read(3)


async def test_what_was_left_open_is_ended_by_the_next(owners: Owners) -> None:
    before: Any = await owners.transactions()
    producer = before._producer
    await producer.begin_transaction()
    for batch in _batches(producer, [Outgoing(b"key", b"open", 1, {})]):
        await (await producer.send_batch(batch, owners.output.name, partition=0))
    after = await owners.transactions()
    await owners.commit(after, 2)
    assert await owners.values(owners.output, 1) == [b"2"]


async def test_an_owner_that_has_nothing_to_write_can_still_move_on(
    owners: Owners,
) -> None:
    owner = await owners.transactions()
    assert await owner.commit({}, {owners.input: 5}) == {}
    await owners.has_read(5)


async def test_more_than_a_batch_keeps_its_order(owners: Owners) -> None:
    owner = await owners.transactions()
    many = [Outgoing(b"key", b"%d." % n + b"." * 9_000, n, {}) for n in range(300)]
    ends = await owner.commit({owners.at(owners.output): many}, {})
    assert ends == {owners.at(owners.output): 300}
    found = await owners.values(owners.output, 300)
    assert [int((value or b"").rstrip(b".")) for value in found] == [*range(300)]


class TestChangelogs:
    @pytest.fixture
    def state(self, tmp_path: Any) -> Any:
        state = State(tmp_path)
        yield state
        state.close()

    def changelogs(self, owners: Owners, state: State) -> Changelogs:
        topics = {"posts": owners.changelog.name}
        return Changelogs(owners.client, topics, state, owners.group, Metrics())

    async def test_all_that_is_committed_is_restored_once(
        self, owners: Owners, state: State
    ) -> None:
        owner = await owners.transactions()
        for number in range(1, 6):
            await owners.commit(owner, number)
        await owners.values(owners.changelog, 5)
        changelogs = self.changelogs(owners, state)
        assert (await changelogs.restore([0])).records == 5
        assert dict(state.items("posts", [0])) == {b"row": b"5"}
        assert (await changelogs.restore([0])).records == 0

    async def test_only_what_came_since_is_read(self, owners: Owners, state: State) -> None:
        owner = await owners.transactions()
        await owners.commit(owner, 1)
        await owners.values(owners.changelog, 1)
        await self.changelogs(owners, state).restore([0])
        await owners.commit(owner, 2)
        await owners.values(owners.changelog, 2)
        assert (await self.changelogs(owners, state).restore([0])).records == 1
        assert state.row(0, "posts", b"row") == b"2"

    async def test_an_empty_changelog_is_restored_at_once(
        self, owners: Owners, state: State
    ) -> None:
        assert (await self.changelogs(owners, state).restore([0, 1])).records == 0
        assert state.warm(["posts"]) == {0, 1}

    async def test_a_position_beyond_the_end_belongs_to_another_log(
        self, owners: Owners, state: State, caplog: pytest.LogCaptureFixture
    ) -> None:
        owner = await owners.transactions()
        await owners.commit(owner, 1)
        await owners.values(owners.changelog, 1)
        state.apply(0, "posts", [(b"stranger", b"1")], 1_000)
        await self.changelogs(owners, state).restore([0])
        assert dict(state.items("posts", [0])) == {b"row": b"1"}
        [told] = caplog.records
        assert (told.message, told.table) == ("changelog_shorter_read_anew", "posts")  # type: ignore[attr-defined]
        assert (told.records_lost, told.rows_here) == (998, 1)  # type: ignore[attr-defined]

    async def test_rows_that_the_changelog_lost_are_kept_and_written_again(
        self,
        owners: Owners,
        state: State,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Nobody has gone on since this worker committed: its rows are the truth."""
        owner = await owners.transactions()
        await owners.commit(owner, 1)
        await owners.has_read(1)
        await owners.values(owners.changelog, 1)
        state.apply(0, "posts", [(b"row", b"1"), (b"lost", b"2")], 1_000)
        state.settle(0, {"posts": 1_000}, {owners.input: 1})
        tasks = Tasks(
            TaskSettings(client=owners.client, group=owners.group),
            state,
            {"posts": owners.changelog.name},
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
        await self.changelogs(owners, emptied).restore([0])
        assert dict(emptied.items("posts", [0])) == {b"row": b"1", b"lost": b"2"}
        emptied.close()

    async def test_what_is_left_of_a_changelog_is_read_over_the_rows(
        self, owners: Owners, state: State, caplog: pytest.LogCaptureFixture
    ) -> None:
        owners.changelog = Topic(unique("changelog"))
        await owners.log.create(owners.changelog, 2)
        owner = await owners.transactions()
        for number in range(1, 4):
            await owners.commit(owner, number)
        await owners.values(owners.changelog, 3)
        state.apply(0, "posts", [(b"older", b"0")], 1)
        admin = AIOKafkaAdminClient(**owners.client)
        await admin.start()
        await admin.delete_records(
            {TopicPartition(owners.changelog.name, 0): RecordsToDelete(before_offset=4)}
        )
        await admin.close()
        await self.changelogs(owners, state).restore([0])
        assert dict(state.items("posts", [0])) == {b"older": b"0", b"row": b"3"}
        [told] = [one for one in caplog.records if one.message == "changelog_begins_later"]
        assert (told.message, told.records_lost) == ("changelog_begins_later", 3)  # type: ignore[attr-defined]
