"""Hides the bot's token, which is in the URL of each call and so in aiohttp's network errors."""

from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType


class HiddenToken(BaseRequestMiddleware):
    """Middleware of aiogram's session: removes the token from network errors before they spread."""

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
            # Not `from error`: a traceback would show the token in its message.
            raise TelegramNetworkError(method, message) from None
