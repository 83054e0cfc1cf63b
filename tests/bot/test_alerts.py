"""Alerts as messages: once each, edited as they go on, over restarts and faults."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from bot import texts
from bot.alerts import GROUP
from control.store import ControlUnavailable, Subscription
from streams.analytics import ActivityWindow
from streams.codec import encode
from streams.log import Draft, Log, LogUnavailable
from streams.topics import ALERTS, channel_key
from tests.api.reading import AwayReader
from tests.api.serving import CHANNEL, NOW_MS, OTHER
from tests.bot.stage import ANN, BEN, RAISED, Stage, another, resolved, updated
from tests.patience import PATIENCE_S


async def committed_all(stage: Stage) -> bool:
    ends = await stage.log.bounds(ALERTS.name)
    done = await stage.log.committed(GROUP)
    return all(done.get(at, 0) == bounds.next for at, bounds in ends.items())


def edited(stage: Stage, times: int) -> bool:
    return [message.edits for message in stage.sent()] == [times]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_an_alert_goes_to_who_subscribed(stage: Stage) -> None:
    await stage.subscribe(ANN, BEN)
    stage.api.open_chat(7)
    await stage.control.subscribe(Subscription(7, OTHER))
    async with stage.running():
        await stage.raise_(RAISED)
        for chat_id in (ANN, BEN):
            (message,) = await stage.api.sent_to(chat_id, 1)
            assert message.source.startswith("🔺 <b>Views spike</b>")
            assert "http://127.0.0.1:8000/channels/durov" in message.source
        await stage.raise_(another(2, OTHER))
        await stage.api.sent_to(7, 1)
        await until(lambda: committed_all(stage))
    assert [len(stage.sent(chat_id)) for chat_id in (ANN, BEN, 7)] == [1, 1, 1]
    assert stage.counted("analyticbot_sent_total") == 3


async def test_it_is_edited_and_ends(stage: Stage) -> None:
    stage.settings = msgspec.structs.replace(stage.settings, edit_every_s=0)
    await stage.subscribe(ANN)
    async with stage.running():
        for count, alert in enumerate((RAISED, updated(900.0), resolved())):
            await stage.raise_(alert)
            await stage.api.until(partial(edited, stage, count))
        await until(lambda: committed_all(stage))
    (message,) = stage.sent()
    assert message.text.startswith("✅ Views spike is over · Durov")


async def test_updates_are_held_and_the_end_is_not(stage: Stage) -> None:
    await stage.subscribe(ANN)
    async with stage.running():
        await stage.raise_(RAISED, updated(900.0, 1_000), updated(950.0, 2_000), another(2))
        await stage.api.sent_to(ANN, 2)
        assert stage.sent()[0].edits == 0
        assert not await committed_all(stage)
        await stage.raise_(resolved())
        await stage.api.until(lambda: stage.sent()[0].edits == 1)
        await until(lambda: committed_all(stage))
    assert stage.sent()[0].text.startswith("✅")


async def test_the_newest_held_update_is_shown_when_it_is_due(stage: Stage) -> None:
    stage.settings = msgspec.structs.replace(stage.settings, edit_every_s=0.5)
    await stage.subscribe(ANN)
    async with stage.running():
        await stage.raise_(RAISED, updated(900.0, 1_000), updated(950.0, 2_000))
        await stage.api.until(lambda: "950 views per minute" in str(stage.sent()))
        await until(lambda: committed_all(stage))
    assert [message.edits for message in stage.sent()] == [1]


async def test_a_held_update_is_shown_after_a_restart(stage: Stage) -> None:
    await stage.subscribe(ANN)
    async with stage.running():
        await stage.raise_(RAISED, updated(900.0))
        await stage.api.sent_to(ANN, 1)
    async with stage.running():
        await stage.api.until(lambda: "900 views per minute" in str(stage.sent()))
    assert len(stage.sent()) == 1


async def test_nothing_is_sent_twice_when_all_is_read_again(stage: Stage) -> None:
    await stage.subscribe(ANN)
    async with stage.running():
        await stage.raise_(RAISED, another(2), resolved())
        await stage.api.until(lambda: [s.edits for s in stage.sent()] == [1, 0])
        await until(lambda: committed_all(stage))
    before = stage.sent()
    await stage.log.commit(GROUP, dict.fromkeys(await stage.log.partitions(ALERTS.name), 0))
    async with stage.running():
        await stage.raise_(another(3))
        await stage.api.sent_to(ANN, 3)
    assert stage.sent()[:2] == before


async def test_what_happens_while_it_is_away_is_told_afterwards(stage: Stage) -> None:
    await stage.subscribe(ANN)
    await stage.raise_(another(1))
    async with stage.running():
        await stage.raise_(another(2))
        await stage.api.sent_to(ANN, 1)
    await stage.raise_(another(3))
    async with stage.running():
        await stage.api.sent_to(ANN, 2)
        await until(lambda: committed_all(stage))
    told = [await stage.control.deliveries(another(number).alert_id) for number in (1, 2, 3)]
    assert [len(each) for each in told] == [0, 1, 1]


async def test_who_subscribes_later_is_told_while_it_lasts(stage: Stage) -> None:
    async with stage.running():
        await stage.raise_(RAISED)
        await until(lambda: committed_all(stage))
        await stage.subscribe(ANN)
        await stage.raise_(updated(900.0))
        await stage.api.sent_to(ANN, 1)
        await stage.subscribe(BEN)
        await stage.raise_(resolved())
        await stage.api.until(lambda: stage.sent()[0].edits == 1)
        await until(lambda: committed_all(stage))
    assert stage.sent(BEN) == []


async def test_its_button_ends_the_subscription(stage: Stage) -> None:
    await stage.subscribe(ANN)
    async with stage.running():
        await stage.raise_(RAISED)
        (message,) = await stage.api.sent_to(ANN, 1)
        assert await stage.press(message, texts.ALERTS_OFF) == "Alerts off: Durov"
        await stage.raise_(another(2))
        await until(lambda: committed_all(stage))
    assert stage.sent() == [message]


async def test_who_blocked_the_bot_is_dropped_and_others_are_told(stage: Stage) -> None:
    await stage.subscribe(ANN, BEN)
    stage.api.block(ANN)
    async with stage.running():
        await stage.raise_(RAISED)
        await stage.api.sent_to(BEN, 1)
        await until(lambda: committed_all(stage))
    assert await stage.control.subscribers(CHANNEL) == [Subscription(BEN, CHANNEL)]
    assert stage.counted("analyticbot_dropped_total", reason="blocked") == 1


async def test_a_chat_that_is_gone_is_dropped(stage: Stage) -> None:
    await stage.control.subscribe(Subscription(99, CHANNEL))
    async with stage.running():
        await stage.raise_(RAISED)
        await until(lambda: committed_all(stage))
    assert await stage.control.subscribers(CHANNEL) == []


async def test_a_group_that_moved_takes_its_subscriptions_along(stage: Stage) -> None:
    await stage.subscribe(ANN)
    stage.api.open_chat(-100_77)
    stage.api.fail("sendMessage", 400, "Bad Request: group upgraded", migrate_to_chat_id=-100_77)
    async with stage.running():
        await stage.raise_(RAISED)
        await stage.api.sent_to(-100_77, 1)
    assert await stage.control.subscribers(CHANNEL) == [Subscription(-100_77, CHANNEL)]


@pytest.mark.parametrize("code", [429, 500, 502])
async def test_telegram_that_is_away_or_floods_is_waited_for(stage: Stage, code: int) -> None:
    await stage.subscribe(ANN)
    if code == 429:
        stage.api.flood("sendMessage", 1)
    else:
        stage.api.fail("sendMessage", code, "not now")
    async with stage.running():
        await stage.raise_(RAISED)
        await stage.api.sent_to(ANN, 1)
        await until(lambda: committed_all(stage))
    assert len(stage.sent()) == 1


async def test_a_message_that_its_reader_deleted_is_let_go(stage: Stage) -> None:
    await stage.subscribe(ANN)
    stage.api.fail("editMessageText", 400, "Bad Request: message to edit not found")
    async with stage.running():
        await stage.raise_(RAISED, resolved())
        await until(lambda: committed_all(stage))
    (delivery,) = await stage.control.deliveries(RAISED.alert_id)
    assert delivery.state == "resolved"


async def test_a_refused_message_does_not_stop_the_next(stage: Stage) -> None:
    await stage.subscribe(ANN)
    stage.api.fail("sendMessage", 400, "Bad Request: something else")
    async with stage.running():
        await stage.raise_(RAISED, another(2))
        await stage.api.sent_to(ANN, 1)
    assert stage.counted("analyticbot_dropped_total", reason="refused") == 1


async def test_without_history_the_alert_names_the_id(stage: Stage) -> None:
    stage.reader = AwayReader()
    await stage.subscribe(ANN)
    async with stage.running():
        await stage.raise_(RAISED)
        (message,) = await stage.api.sent_to(ANN, 1)
    assert f"Views spike · {CHANNEL}" in message.text


async def test_what_is_no_alert_is_skipped_and_counted(stage: Stage) -> None:
    await stage.subscribe(ANN)
    window = ActivityWindow(channel_id=CHANNEL, observed_at_ms=NOW_MS, start_ms=NOW_MS)
    key = channel_key(CHANNEL)
    values = (b"\xc1", None, encode(window))
    async with stage.running():
        await stage.log.append([Draft(ALERTS.name, key, value, NOW_MS) for value in values])
        await stage.raise_(RAISED)
        await stage.api.sent_to(ANN, 1)
    assert stage.counted("analyticbot_dropped_total", reason="broken_bytes") >= 1


async def test_a_control_store_that_is_away_is_waited_for(stage: Stage) -> None:
    await stage.subscribe(ANN)
    real, failures = stage.control.subscribers, [ControlUnavailable("away")]

    async def subscribers(channel_id: object) -> object:
        if failures:
            raise failures.pop()
        return await real(CHANNEL)

    stage.control.subscribers = subscribers  # type: ignore[method-assign, assignment]
    async with stage.running():
        await stage.raise_(RAISED)
        await stage.api.sent_to(ANN, 1)
    assert len(stage.sent()) == 1


async def committed_something(log: Log) -> bool:
    return bool(await log.committed(GROUP))


class AwayLog:
    """A log that cannot be reached for the next so many calls."""

    def __init__(self, log: Log, times: int) -> None:
        self._log = log
        self.times = times

    def __getattr__(self, name: str) -> Any:
        if self.times and name in ("committed", "commit", "subscribe"):
            self.times -= 1
            raise LogUnavailable("Kafka at 127.0.0.1:1 cannot be reached")
        return getattr(self._log, name)


async def test_a_log_that_is_away_is_waited_for(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.subscribe(ANN)
    log = stage.log
    stage.log = AwayLog(log, 2)
    async with stage.running():
        stage.log = log
        await until(lambda: committed_something(log))
        await stage.raise_(RAISED)
        await stage.api.sent_to(ANN, 1)
        await until(lambda: committed_all(stage))
    assert len(stage.sent()) == 1
    said = [record.message for record in caplog.records]
    assert said.count("unavailable") == said.count("available") == 1
    assert stage.counted("analyticbot_errors_total", kind="log_unavailable") == 2
