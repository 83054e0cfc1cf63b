"""Waiting for what is unavailable: Telegram's flood waits, and outages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType

from control.store import ControlUnavailable
from streams.metrics import Metrics
from streams.retry import Retry, Transient

logger = logging.getLogger(__name__)
T = TypeVar("T")

PASSING: Transient = {
    TelegramNetworkError: "telegram",
    TelegramServerError: "telegram",
    ControlUnavailable: "control",
}


class FloodWaits(BaseRequestMiddleware):
    """Of aiogram's session: a call that Telegram asks to repeat later is repeated then."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Any:
        while True:
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as flood:
                fields = {"method": method.__api_method__, "seconds": flood.retry_after}
                logger.warning("flood_wait", extra=fields)
                self._metrics.error("bot", "flood_wait")
                await asyncio.sleep(flood.retry_after)


async def outlast(call: Callable[[], Awaitable[T]], metrics: Metrics) -> T:
    """The call's result, retried while Telegram or the control store is unavailable.

    For calls that may be repeated.
    """
    return await Retry(PASSING, logger, count=(metrics, "bot")).call(call)
