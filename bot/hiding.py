"""The bot's token is in the address of each call, and so in what aiohttp says of a broken one."""

from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType


class HiddenToken(BaseRequestMiddleware):
    """Of aiogram's session: no error of the network names the token, wherever it is logged."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Any:
        try:
            return await make_request(bot, method)
        except TelegramNetworkError as error:
            message = error.message.replace(bot.token, "…")
            # Not `from error`: a traceback would show what it says.
            raise TelegramNetworkError(method, message) from None
