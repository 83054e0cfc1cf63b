import traceback

import aiogram
import pytest
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import GetMe

from bot.hiding import HiddenToken

TOKEN = "1000000001:" + "A" * 35


async def broken(bot: aiogram.Bot, method: GetMe) -> None:
    raise TelegramNetworkError(method, f"cannot write to http://host/bot{TOKEN}/getMe")


async def test_an_error_of_the_network_does_not_name_the_token() -> None:
    bot = aiogram.Bot(TOKEN)
    with pytest.raises(TelegramNetworkError) as raised:
        await HiddenToken()(broken, bot, GetMe())  # type: ignore[arg-type]
    said = "".join(traceback.format_exception(raised.value))
    assert "cannot write to http://host/bot…/getMe" in said
    assert TOKEN not in said
