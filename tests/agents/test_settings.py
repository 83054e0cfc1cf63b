"""What operators set: declared, checked, and seen by a decision between the same two messages."""

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from agents.engine.setting import InvalidSetting, Setting
from agents.engine.step_context import StepContext
from agents.pipeline import INPUTS, PIPELINE
from agents.spikes.row import Spikes
from agents.spikes.rule import FACTOR, LEAST, SETTINGS
from streams.analytics import ActivityWindow, Alert
from streams.broadcasts import SettingChanged, Value
from streams.codec import Selection, encode
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from streams.topics import ALERTS, UPDATES, WINDOWS, channel_key
from tests.agents.in_memory import InMemory
from tests.streams.sources.manual_clock import ManualClock

T = 1_760_000_040_000
WORD = Setting(name="any.word", default="", least=0, most=3, about="A word.")
FLAG = Setting(name="any.flag", default=False, least=0, most=1, about="On or off.")


def changed(
    value: Value | None, version: int, name: str = LEAST.name, channel: int | None = None
) -> SettingChanged:
    channel_id = None if channel is None else ChannelId(channel)
    return SettingChanged(at_ms=T, name=name, channel_id=channel_id, value=value, version=version)


class Seen:
    """The spike rule's values, as a step sees them."""

    def __init__(self) -> None:
        self.values: list[tuple[int, int, float]] = []

    def step(self, row: Spikes, window: ActivityWindow, context: StepContext) -> Sequence[Any]:
        found = (window.channel_id, context.setting(LEAST), context.setting(FACTOR))
        self.values.append(found)
        return []


def opened(seen: Seen) -> InMemory:
    updates, spikes = PIPELINE
    watching = msgspec.structs.replace(spikes, steps=(seen.step,))
    return InMemory((updates, watching), INPUTS, ManualClock(2**41))


def window(run: InMemory, channel: int = 7) -> None:
    message = ActivityWindow(channel_id=ChannelId(channel), observed_at_ms=T, start_ms=T)
    run.append(WINDOWS.name, channel_key(message.channel_id), encode(message), T)
    run.run()


def test_a_change_holds_from_its_place_in_the_log_on() -> None:
    seen = Seen()
    run = opened(seen)
    window(run)
    run.broadcast(changed(50, 1))
    run.run()
    window(run)
    assert seen.values == [(7, 30, 4.0), (7, 50, 4.0)]


def test_one_channel_has_a_value_of_its_own_until_it_is_unset() -> None:
    seen = Seen()
    run = opened(seen)
    for change in (
        changed(50, 1),
        changed(60, 1, channel=7),
        changed(2, 1, FACTOR.name, channel=8),
        changed(3.5, 1, FACTOR.name),
    ):
        run.broadcast(change)
    run.run()
    window(run, 7)
    window(run, 8)
    window(run, 9)
    assert seen.values == [(7, 60, 3.5), (8, 50, 2.0), (9, 50, 3.5)]
    seen.values.clear()
    run.broadcast(changed(None, 2, channel=7))
    run.broadcast(changed(None, 2))
    run.run()
    window(run, 7)
    assert seen.values == [(7, 30, 3.5)]


def test_settings_survive_a_restart_and_a_lower_version_changes_nothing() -> None:
    seen = Seen()
    run = opened(seen)
    run.broadcast(changed(50, 7))
    run.broadcast(changed(60, 7, channel=7))
    run.run()
    run.restart()
    run.broadcast(changed(10, 6))
    run.broadcast(changed(10, 6, channel=7))
    run.run()
    window(run, 7)
    window(run, 8)
    assert seen.values == [(7, 60, 4.0), (8, 50, 4.0)]
    rows = dict(run.tables["settings"])
    # Each input has rows of its own: the change reaches them one after the other.
    assert sorted(rows) == [
        b"0/updates/spikes.least/",
        b"0/updates/spikes.least/7",
        b"0/windows/spikes.least/",
        b"0/windows/spikes.least/7",
    ]
    run.restart({UPDATES.name: 0, WINDOWS.name: 0})
    run.run()
    assert {key: row[-3:] for key, row in run.tables["settings"].items()} == {
        key: row[-3:] for key, row in rows.items()
    }


def test_a_value_that_this_version_does_not_accept_is_as_if_it_were_unset(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    seen = Seen()
    run = opened(seen)
    run.broadcast(changed(50, 1))
    run.broadcast(changed("many", 2))
    run.run()
    window(run)
    run.restart()
    window(run)
    assert seen.values == [(7, 30, 4.0)] * 2
    reasons = {record.__dict__["reason"] for record in caplog.records}
    assert reasons == {"spikes.least: 'many' is not a whole number from 1 to 1000000000"}


def test_a_change_is_forwarded_behind_what_was_observed_before_it() -> None:
    run = opened(Seen())
    event = SubscribersSampled(channel_id=ChannelId(7), observed_at_ms=T, subscribers=5)
    run.append(UPDATES.name, b"7", encode(event), T)
    run.broadcast(changed(50, 1))
    run.run_topic(UPDATES.name)
    *before, last = run.topics[WINDOWS.name]
    assert before
    assert last.value == encode(changed(50, 1))


def test_a_decision_sees_only_what_it_declares() -> None:
    def step(row: Spikes, message: ActivityWindow, context: StepContext) -> Sequence[Any]:
        context.setting(WORD)
        return []

    updates, spikes = PIPELINE
    for settings in ((), SETTINGS):
        asking = msgspec.structs.replace(spikes, steps=(step,), settings=settings)
        run = InMemory((updates, asking), INPUTS, ManualClock(2**41))
        with pytest.raises(ValueError, match=r"any\.word is not among the decision's settings"):
            window(run)


def test_decisions_may_share_a_setting_and_not_declare_it_in_two_ways() -> None:
    updates, spikes = PIPELINE
    other = msgspec.structs.replace(spikes, name="other", tables=())
    InMemory((updates, spikes, msgspec.structs.replace(other, steps=(), handler=_Nothing)), *_REST)
    for wrong, reason in (
        (msgspec.structs.replace(WORD, default="much"), "any.word: 'much' is not a text of 0 to"),
        (msgspec.structs.replace(LEAST, most=50), "spikes.least is declared in two ways"),
        (msgspec.structs.replace(LEAST, name="least"), "'least' is no name of a setting"),
    ):
        twice = msgspec.structs.replace(other, settings=(wrong,), handler=_Nothing)
        with pytest.raises(ValueError, match=reason):
            InMemory((updates, spikes, twice), *_REST)


class _Nothing:
    """Implements Handler."""

    def __init__(self, *_: object) -> None: ...

    def fold(self, *_: object) -> None: ...

    def measure(self, *_: object) -> None: ...


_REST: Any = (INPUTS, ManualClock(2**41))


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        (LEAST, "1", 1),
        (LEAST, " 1000000000 ", 1_000_000_000),
        (FACTOR, "2", 2.0),
        (FACTOR, "1.5", 1.5),
        (WORD, "abc", "abc"),
        (FLAG, "On", True),
        (FLAG, "false", False),
    ],
)
def test_what_an_operator_writes_is_read(setting: Setting[Any], text: str, value: Value) -> None:
    read = setting.read(text)
    assert (read, type(read)) == (value, type(value))
    assert setting.check(read) == value


@pytest.mark.parametrize(
    ("setting", "text", "reason"),
    [
        (LEAST, "0", "spikes.least: '0' is not a whole number from 1 to 1000000000"),
        (LEAST, "1.5", "spikes.least: '1.5' is not a whole number from 1 to 1000000000"),
        (LEAST, "", "spikes.least: '' is not a whole number from 1 to 1000000000"),
        (FACTOR, "nan", "spikes.factor: 'nan' is not a number from 1 to 1000"),
        (FACTOR, "1e9", "spikes.factor: '1e9' is not a number from 1 to 1000"),
        (WORD, "abcd", "any.word: 'abcd' is not a text of 0 to 3 characters"),
        (FLAG, "2", "any.flag: '2' is not true or false"),
    ],
)
def test_what_is_not_accepted_is_refused_in_one_line(
    setting: Setting[Any], text: str, reason: str
) -> None:
    with pytest.raises(InvalidSetting) as refused:
        setting.read(text)
    assert str(refused.value) == reason


def test_a_stored_value_of_another_type_is_refused() -> None:
    for setting, value in ((LEAST, True), (LEAST, 2.0), (FLAG, 1), (WORD, 1), (FACTOR, "2")):
        with pytest.raises(InvalidSetting):
            setting.check(value)
    # JSON and msgpack may keep a whole number as an integer.
    assert FACTOR.check(2) == 2.0


def test_the_alert_says_by_which_settings_it_was_raised() -> None:
    run = InMemory(PIPELINE, INPUTS, ManualClock(2**41))
    run.broadcast(changed(5, 1))
    run.run()
    for minute in range(21):
        message = ActivityWindow(
            channel_id=ChannelId(7),
            observed_at_ms=T + minute * 60_000,
            start_ms=T + minute * 60_000,
            views_gained=1,
            views_pace=6 if minute == 20 else 1,
            samples=10,
            closed=True,
        )
        run.append(WINDOWS.name, b"7", encode(message), message.observed_at_ms)
    run.run()
    decode = Selection[Alert](Alert).decode
    [alert] = [decode(record.value or b"") for record in run.topics[ALERTS.name] if record.key]
    assert alert is not None
    assert alert.method.endswith("and at least 5")
