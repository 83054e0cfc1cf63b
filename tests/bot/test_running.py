"""Starting, stopping, being away."""

import asyncio

import msgspec
import pytest

from bot import texts
from bot.bot import WrongToken
from control.store import Delivery
from loopback.bot_api import TOKEN
from tests.api.serving import NOW_MS
from tests.bot.stage import ANN, BEN, Stage
from tests.patience import PATIENCE_S


async def test_a_token_that_telegram_does_not_know(stage: Stage) -> None:
    with pytest.raises(WrongToken, match="BOT_TOKEN"):
        await stage.bot("43:other").run()


@pytest.mark.parametrize("token", ["", "no token", "42", "42:", ":loopback"])
def test_what_cannot_be_a_token(stage: Stage, token: str) -> None:
    with pytest.raises(WrongToken) as wrong:
        stage.bot(token)
    assert "no token" not in str(wrong.value)


async def test_a_token_that_is_withdrawn(stage: Stage) -> None:
    run = asyncio.create_task(stage.bot().run())
    await stage.api.until(lambda: len(stage.api.called("getUpdates")) == 1)
    stage.api.token = "42:other"
    stage.api.message(ANN, "/start")
    with pytest.raises(WrongToken):
        await run


async def test_telegram_away_at_start_and_in_the_middle(stage: Stage) -> None:
    stage.api.fail("getMe", 502, "Bad Gateway")
    async with stage.running():
        stage.api.fail("getUpdates", 500, "Internal Server Error")
        await stage.ask("/start")
        await stage.ask("/help")
    assert stage.counted("analyticbot_errors_total", kind="telegram_unavailable") == 2


async def test_the_token_is_never_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    stage.api.fail("getUpdates", 0, "", lose_answer=True)
    stage.api.fail("sendMessage", 0, "", lose_answer=True)
    async with stage.running():
        stage.api.message(ANN, "/start")
        await stage.api.sent_to(ANN, 1)
        await stage.ask("/help")
    assert "unavailable" in caplog.messages
    assert TOKEN not in caplog.text


async def test_it_stops_in_the_middle_of_a_flood_wait(stage: Stage) -> None:
    stage.api.flood("sendMessage", 3600)
    async with asyncio.timeout(PATIENCE_S):
        async with stage.running():
            stage.api.message(ANN, "/start")
            await stage.api.until(lambda: len(stage.api.called("sendMessage")) == 1)


async def test_a_private_bot_tells_others_their_chat(stage: Stage) -> None:
    stage.settings = msgspec.structs.replace(stage.settings, allowed_chats=frozenset({ANN}))
    async with stage.running():
        assert (await stage.ask("/start", BEN)).source == texts.private_bot(BEN)
        assert (await stage.ask("/start", ANN)).source == texts.start()
        assert (await stage.ask("/channels", BEN)).source == texts.private_bot(BEN)


async def test_old_deliveries_are_forgotten_and_new_ones_kept(stage: Stage) -> None:
    month_ms = stage.settings.remember_deliveries_ms
    await stage.control.put_delivery(Delivery("old", ANN, 1, "resolved", NOW_MS - month_ms - 1))
    await stage.control.put_delivery(Delivery("new", ANN, 2, "resolved", NOW_MS - month_ms))
    async with stage.running():
        async with asyncio.timeout(PATIENCE_S):
            while await stage.control.delivery("old", ANN):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert await stage.control.delivery("new", ANN)
