"""Retries calls while Telegram or the control store is unavailable, and after flood waits."""

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
    """Middleware of aiogram's session: retries a call after the wait that Telegram asks for."""

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
    """The result of `call`, retried while Telegram or the control store is unavailable.

    Waits as long as the outage lasts; other errors pass through. `call` must be safe to repeat.
    """
    return await Retry(PASSING, logger, count=(metrics, "bot")).call(call)
