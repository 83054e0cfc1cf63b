"""What every decision of the pipeline promises; run by tests/agents/test_decisions.py.

A decision is fed with all messages that the decisions before it make of the same events, and alone
with the kinds that it takes; what it keeps and sends is compared.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from agents.engine.decision import Decision, Input
from agents.engine.setting import Setting
from streams.analytics import Decision as Message
from streams.analytics import LateSamples
from streams.broadcasts import SettingChanged
from streams.clock import Clock
from streams.codec import BroadcastFound, decode_analytics, encode
from streams.events import Event
from streams.ids import ChannelId
from streams.topics import AGENTS, UPDATES, Topic, channel_key, repartition_of
from streams.units import DAY_MS
from tables.rows import JoinedRow, Row, RowDecoder, encode_row, layout_of
from tests.agents.in_memory import InMemory
from tests.streams.sources.manual_clock import ManualClock

#: A row's bytes after thousands of messages of its channel, at most. Rows are written whole with
#: each message, so this bounds what a message costs.
ROW_BYTES = 64 * 1024

#: No decision sets a timer that is further ahead.
LATER_MS = 400 * DAY_MS

Open = Callable[[], InMemory]
Left = tuple[dict[str, dict[bytes, bytes]], dict[str, Message]]


def feed(run: InMemory, events: Sequence[Event]) -> None:
    for event in events:
        key = channel_key(event.channel_id)
        run.append(UPDATES.name, key, encode(event), event.observed_at_ms)


def feed_all(run: InMemory, events: Sequence[Event]) -> None:
    """With a tick behind them, by which every timer that they have set is due."""
    feed(run, events)
    tick_after(run, events)


def tick_after(run: InMemory, events: Sequence[Event]) -> None:
    """By this tick every timer that the events have set is due."""
    run.tick(max(event.observed_at_ms for event in events) + LATER_MS)


def feed_ticking(run: InMemory, events: Sequence[Event]) -> None:
    """With a tick every now and then, a little behind or ahead of the events."""
    for number in range(0, len(events), 40):
        feed(run, events[number : number + 40])
        run.tick(events[number].observed_at_ms + number % 3 * DAY_MS)


def left(run: InMemory, decision: Decision) -> Left:
    """The rows of a decision, and the newest of what it sent, by key."""
    rows = {table.name: dict(run.tables[table.name]) for table in decision.kept}
    newest: dict[str, Message] = {}
    for topic in decision.sends:
        for record in run.topics[topic.name]:
            with suppress(BroadcastFound):
                message = decode_analytics(record.value or b"", run.kinds)
                newest[run.kinds.upsert_key(message)] = message
    return rows, newest


class DecisionLaws:
    """Subclasses give the fixtures `pipeline`, `inputs`, `decision` and `events`."""

    @pytest.fixture
    def opened(self, pipeline: Sequence[Decision], inputs: Sequence[Input]) -> Open:
        return lambda: InMemory(pipeline, inputs, _after_all())

    @pytest.fixture(scope="module")
    @classmethod
    def done(cls) -> dict[str, Left]:
        """What each decision came to, so that it is found out once."""
        return {}

    @pytest.fixture
    def once(
        self, opened: Open, decision: Decision, events: Sequence[Event], done: dict[str, Left]
    ) -> Left:
        if decision.name not in done:
            run = opened()
            feed_all(run, events)
            run.run()
            done[decision.name] = left(run, decision)
        found = done[decision.name]
        assert all(found[0][table.name] for table in decision.tables)
        assert found[1]
        return found

    def test_batches_of_any_size_give_the_same(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        for seed in range(3):
            chance = random.Random(seed)
            run = opened()
            feed_all(run, events)
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
        tick_after(run, events)
        run.run()
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
        feed_all(run, events)
        run.run()
        _come_again(run, decision)
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
        feed_all(run, events)
        run.run(lambda left_: chance.randint(1, min(left_, 90)), chance.randrange)
        found = left(run, decision)
        assert _without_offsets(found, decision) == _without_offsets(once, decision)

    def test_channels_in_any_order_give_the_same(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        run = opened()
        by_channel = sorted(events, key=lambda event: event.channel_id)
        assert by_channel != events
        feed_all(run, by_channel)
        run.run()
        assert _without_offsets(left(run, decision), decision) == _without_offsets(once, decision)

    def test_other_channels_change_nothing(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        if decision.key is not None:
            pytest.skip("its rows are not those of channels: see the next law")
        first = min(event.channel_id for event in events)
        run = opened()
        feed_all(run, [event for event in events if event.channel_id == first])
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
        feed_all(run, events)
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
        feed_all(run, events)
        run.run()
        assert left(run, decision) == once

    def test_ticks_anywhere_give_the_same_however_it_runs(
        self, opened: Open, decision: Decision, events: Sequence[Event]
    ) -> None:
        some, chance = events[: len(events) // 2], random.Random(1)
        run, other = opened(), opened()
        feed_ticking(run, some)
        run.run()
        once = left(run, decision)
        feed_ticking(other, some)
        while other.step(lambda left_: chance.randint(1, min(left_, 90))):
            if chance.random() < 0.1:
                other.restart()
        found = left(other, decision)
        assert _without_offsets(found, decision) == _without_offsets(once, decision)
        # And again from the middle, as after a crash.
        _come_again(run, decision)
        rows, newest = left(run, decision)
        assert rows == once[0]
        assert newest.keys() == once[1].keys()

    def test_settings_in_any_order_give_the_same(
        self, opened: Open, decision: Decision, events: Sequence[Event], once: Left
    ) -> None:
        """The highest version holds; what was set and is at its default again changes nothing."""
        changes = [change for setting in decision.settings for change in _back_to_default(setting)]
        channels = sorted({event.channel_id for event in events})
        changes += [msgspec.structs.replace(each, channel_id=channels[0]) for each in changes]
        random.Random(5).shuffle(changes)
        run = opened()
        # What no decision declares is kept for one that may.
        changes.append(SettingChanged(at_ms=1, name="nobody.nothing", value=1, version=9))
        for change in changes:
            run.broadcast(change)
        feed_all(run, events)
        run.run()
        assert _without_offsets(left(run, decision), decision) == _without_offsets(once, decision)

    @pytest.mark.parametrize("halfway", [True, False])
    async def test_filled_from_the_log_it_has_the_rows_of_one_that_was_always_there(
        self,
        pipeline: Sequence[Decision],
        inputs: Sequence[Input],
        decision: Decision,
        events: Sequence[Event],
        once: Left,
        halfway: bool,
    ) -> None:
        """It joins others that have run; `halfway`: and more comes in before it is filled."""
        others = [each for each in pipeline if each is not decision]
        before = InMemory(others, inputs, _after_all())
        first = len(events) // 2 if halfway else len(events)
        feed(before, events[:first])
        before.run()
        before.positions[UPDATES.name] = len(before.topics[UPDATES.name])
        run = InMemory(pipeline, inputs, _after_all(), before=before)
        feed(run, events[first:])
        tick_after(run, events)
        run.run(lambda left_: min(left_, 90))
        await run.fill()
        run.run()
        run.restart()
        run.run()
        found, expected = left(run, decision), once
        if decision.key is not None or len(decision.reads) > 1:
            found, expected = (_without_offsets(each, decision) for each in (found, expected))
        assert found[0] == expected[0]

    def test_a_row_is_bounded(self, once: Left) -> None:
        rows, _ = once
        assert max(len(data) for table in rows.values() for data in table.values()) < ROW_BYTES

    def test_its_rows_have_the_layout_of_their_table(self, decision: Decision, once: Left) -> None:
        rows, _ = once
        for table in decision.kept:
            for data in rows[table.name].values():
                row: Row = RowDecoder(table.row)(data)
                assert row.version == layout_of(table.row)
                assert encode_row(row) == data


def _come_again(run: InMemory, decision: Decision) -> None:
    """The second half of each topic that a decision reads is processed once more."""
    # What decisions before it send again is new to it, and is not what is meant here.
    ends = dict(run.positions)
    forwarded = repartition_of(AGENTS, decision.name)
    before = _keyed(run, forwarded)
    for topic in (*decision.reads, forwarded):
        if end := ends.get(topic.name):
            run.restart({topic.name: end // 2})
            run.run_topic(topic.name, end)
    # Broadcasts, which have no key, are forwarded again: they change nothing when they come again.
    assert _keyed(run, forwarded) == before


def _keyed(run: InMemory, topic: Topic) -> int:
    return sum(record.key is not None for record in run.topics[topic.name])


def _after_all() -> Clock:
    return ManualClock(2**41)


def _back_to_default(setting: Setting[Any]) -> list[SettingChanged]:
    """Its bounds, then its default; unset, and again."""
    name, bounds = setting.name, (setting.least, setting.most)
    numbers = [type(setting.default)(each) for each in bounds if isinstance(setting.default, float)]
    values = [*numbers, True, "text", None, setting.default]
    return [
        SettingChanged(at_ms=1, name=name, value=value, version=version)
        for version, value in enumerate(values, 1)
    ]


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
    for table in decision.kept:
        plain[table.name] = {}
        for key, data in rows[table.name].items():
            row: Row = RowDecoder(table.row)(data)
            row.last_offset = 0
            if isinstance(row, JoinedRow):
                row.folded.clear()
            plain[table.name][key] = encode_row(row)
    return plain, {k: m for k, m in newest.items() if not isinstance(m, LateSamples)}
