"""What every decision of the pipeline promises; run by tests/agents/test_decisions.py.

A decision is fed with all messages that the decisions before it make of the same events, and alone
with the kinds that it takes; what it keeps and sends is compared.
"""

import random
from collections.abc import Callable, Sequence

import msgspec
import pytest

from agents.engine.decision import Decision, Input
from streams.analytics import Decision as Message
from streams.analytics import LateSamples
from streams.clock import Clock
from streams.codec import decode_analytics, encode
from streams.events import Event
from streams.ids import ChannelId
from streams.topics import AGENTS, UPDATES, channel_key, repartition_of
from tables.rows import JoinedRow, Row, RowDecoder, encode_row, layout_of
from tests.agents.in_memory import InMemory
from tests.streams.sources.manual_clock import ManualClock

#: A row's bytes after thousands of messages of its channel, at most. Rows are written whole with
#: each message, so this bounds what a message costs.
ROW_BYTES = 64 * 1024

Open = Callable[[], InMemory]
Left = tuple[dict[str, dict[bytes, bytes]], dict[str, Message]]


def feed(run: InMemory, events: Sequence[Event]) -> None:
    for event in events:
        key = channel_key(event.channel_id)
        run.append(UPDATES.name, key, encode(event), event.observed_at_ms)


def left(run: InMemory, decision: Decision) -> Left:
    """The rows of a decision, and the newest of what it sent, by key."""
    rows = {table.name: dict(run.tables[table.name]) for table in decision.tables}
    newest: dict[str, Message] = {}
    for topic in decision.sends:
        for record in run.topics[topic.name]:
            message = decode_analytics(record.value or b"", run.kinds)
            newest[run.kinds.upsert_key(message)] = message
    return rows, newest


class DecisionLaws:
    """Subclasses give the fixtures `pipeline`, `inputs`, `decision` and `events`."""

    @pytest.fixture
    def opened(self, pipeline: Sequence[Decision], inputs: Sequence[Input]) -> Open:
        return lambda: InMemory(pipeline, inputs, _after_all())

    @pytest.fixture
    def once(self, opened: Open, decision: Decision, events: Sequence[Event]) -> Left:
        run = opened()
        feed(run, events)
        run.run()
        found = left(run, decision)
        assert all(found[0].values())
        assert found[1]
        return found

    def test_batches_of_any_size_give_the_same(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        for seed in range(3):
            chance = random.Random(seed)
            run = opened()
            feed(run, events)
            run.run(lambda left_, of=chance: of.randint(1, min(left_, 90)))
            assert left(run, decision) == once

    def test_a_restart_anywhere_gives_the_same(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        run = opened()
        third = len(events) // 3
        for start in range(0, len(events), third):
            feed(run, events[start : start + third])
            run.run()
            run.restart()
        found = left(run, decision)
        if decision.key is None:
            assert found == once
        # What is forwarded of two topics lies as they were taken in turns.
        assert _without_offsets(found, decision) == _without_offsets(once, decision)

    def test_messages_that_come_again_change_nothing(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        """What they led to is sent again as it stands now, under the keys that it had."""
        run = opened()
        feed(run, events)
        run.run()
        # What decisions before it send again is new to it, and is not what is meant here.
        ends = dict(run.positions)
        for topic in (*decision.reads, repartition_of(AGENTS, decision.name)):
            if end := ends.get(topic.name):
                run.restart({topic.name: end // 2})
                run.run_topic(topic.name, end)
        rows, newest = left(run, decision)
        assert rows == once[0]
        assert newest.keys() == once[1].keys()

    def test_topics_in_any_order_give_the_same(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        """Which of two topics a task is given first is not said by the log."""
        if len(decision.reads) == 1:
            pytest.skip("it reads one topic")
        chance = random.Random(1)
        run = opened()
        feed(run, events)
        run.run(lambda left_: chance.randint(1, min(left_, 90)), chance.randrange)
        found = left(run, decision)
        assert _without_offsets(found, decision) == _without_offsets(once, decision)

    def test_channels_in_any_order_give_the_same(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        run = opened()
        by_channel = sorted(events, key=lambda event: event.channel_id)
        assert by_channel != events
        feed(run, by_channel)
        run.run()
        assert _without_offsets(left(run, decision), decision) == _without_offsets(once, decision)

    def test_other_channels_change_nothing(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        if decision.key is not None:
            pytest.skip("its rows are not those of channels: see the next law")
        first = min(event.channel_id for event in events)
        run = opened()
        feed(run, [event for event in events if event.channel_id == first])
        run.run()
        alone, among = left(run, decision), _only(first, once)
        assert _without_offsets(alone, decision) == _without_offsets(among, decision)

    def test_other_keys_change_nothing(
        self,
        pipeline: Sequence[Decision],
        inputs: Sequence[Input],
        decision: Decision,
        events: Sequence[Event],
        once: Left,
    ) -> None:
        of_all = decision.key
        if of_all is None:
            pytest.skip("its keys are the channels: see the law before")
        [table] = decision.tables
        few = sorted(once[0][table.name])[::2]
        chosen = msgspec.structs.replace(
            decision, key=lambda message: [key for key in of_all(message) if key in few]
        )
        run = InMemory(
            [chosen if each is decision else each for each in pipeline], inputs, _after_all()
        )
        feed(run, events)
        run.run()
        alone = _without_offsets(left(run, decision), decision)[0][table.name]
        among = _without_offsets(once, decision)[0][table.name]
        assert alone == {key: among[key] for key in few}

    def test_the_clock_changes_nothing(
        self,
        pipeline: Sequence[Decision],
        inputs: Sequence[Input],
        decision: Decision,
        events: Sequence[Event],
        once: Left,
    ) -> None:
        run = InMemory(pipeline, inputs, ManualClock(2**42))
        feed(run, events)
        run.run()
        assert left(run, decision) == once

    def test_a_row_is_bounded(self, once: Left) -> None:
        rows, _ = once
        assert max(len(data) for table in rows.values() for data in table.values()) < ROW_BYTES

    def test_its_rows_have_the_layout_of_their_table(self, decision: Decision, once: Left) -> None:
        rows, _ = once
        for table in decision.tables:
            for data in rows[table.name].values():
                row: Row = RowDecoder(table.row)(data)
                assert row.version == layout_of(table.row)
                assert encode_row(row) == data


def _after_all() -> Clock:
    return ManualClock(2**41)


def _only(channel: ChannelId, found: Left) -> Left:
    rows, newest = found
    key = channel_key(channel)
    own = {
        table: {k: data for k, data in kept.items() if k.partition(b"/")[0] == key}
        for table, kept in rows.items()
    }
    return own, {k: m for k, m in newest.items() if m.channel_id == channel}


def _without_offsets(found: Left, decision: Decision) -> Left:
    """Offsets say how messages lie in the log, which depends on the other channels."""
    rows, newest = found
    plain: dict[str, dict[bytes, bytes]] = {}
    for table in decision.tables:
        plain[table.name] = {}
        for key, data in rows[table.name].items():
            row: Row = RowDecoder(table.row)(data)
            row.last_offset = 0
            if isinstance(row, JoinedRow):
                row.folded.clear()
            plain[table.name][key] = encode_row(row)
    return plain, {k: m for k, m in newest.items() if not isinstance(m, LateSamples)}
