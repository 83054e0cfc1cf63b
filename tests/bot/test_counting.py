"""The bot counts the same four as every stage, after success, and the way of an alert."""

import msgspec

from bot import texts
from tests.api.reading import AwayReader
from tests.api.serving import until
from tests.bot.stage import ANN, BEN, RAISED, Stage, updated


async def test_answers_count_the_four(stage: Stage) -> None:
    async with stage.running():
        await stage.ask("/start")
        stage.api.fail("sendMessage", 400, "Bad Request: nonsense", chat_id=BEN)
        stage.api.message(BEN, "/start")
        await until(lambda: stage.counted("analyticbot_errors_total", kind="TelegramBadRequest"))
    assert stage.counted("analyticbot_received_total") == 2
    assert stage.counted("analyticbot_sent_total") == 1


async def test_an_apology_is_no_answer(stage: Stage) -> None:
    stage.reader = AwayReader()
    async with stage.running():
        assert (await stage.ask("/channels")).source == texts.UNAVAILABLE
    assert stage.counted("analyticbot_errors_total", kind="HistoryUnavailable") == 1
    assert stage.counted("analyticbot_sent_total") == 0


async def test_a_chat_that_may_not_use_it_is_dropped(stage: Stage) -> None:
    stage.settings = msgspec.structs.replace(stage.settings, allowed_chats=frozenset({BEN}))
    async with stage.running():
        await stage.ask("/start", ANN)
        await stage.ask("/start", BEN)
    assert stage.counted("analyticbot_dropped_total", reason="chat_refused") == 1


async def test_the_way_of_an_alert_is_measured_once_a_chat(stage: Stage) -> None:
    stage.settings = msgspec.structs.replace(stage.settings, edit_every_s=0)
    await stage.subscribe(ANN, BEN)
    async with stage.running():
        await stage.raise_(RAISED)
        await stage.api.sent_to(ANN, 1)
        await stage.api.sent_to(BEN, 1)
        await stage.raise_(updated(900.0))
        await stage.api.until(lambda: [m.edits for m in stage.sent()] == [1])
    value = stage.metrics.registry.get_sample_value
    assert value("analyticbot_end_to_end_seconds_count", {"to": "bot"}) == 2
