"""Fetches updates and answers them concurrently, so that a flood wait delays only one answer."""

import asyncio
import logging
from contextlib import suppress

from aiogram import Bot, Dispatcher
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.exceptions import AiogramError, TelegramUnauthorizedError
from aiogram.types import Update

from bot.dispatcher import FAILED
from streams.metrics import Metrics
from streams.retry import Retry, Transient

logger = logging.getLogger(__name__)
#: Updates answered concurrently; at this number, fetching waits.
AT_ONCE = 32
#: How long a stopping bot waits for answers in progress.
GRACE_S = 2.0
_TRANSIENT: Transient = {TelegramUnauthorizedError: None, AiogramError: "telegram"}


class Polling:
    def __init__(self, bot: Bot, dispatcher: Dispatcher, metrics: Metrics, poll_s: int) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._poll_s = poll_s
        self._room = asyncio.Semaphore(AT_ONCE)
        self._answers: set[asyncio.Task[None]] = set()
        self._offset: int | None = None
        self._retry = Retry(_TRANSIENT, logger, count=(metrics, "bot"))

    @property
    def trouble(self) -> str:
        """Why Telegram cannot be asked for updates now; empty while it can."""
        return self._retry.trouble

    async def run(self) -> None:
        """Run until cancelled, then wait up to GRACE_S for answers and confirm their updates.

        Waits while Telegram is unavailable. Raises TelegramUnauthorizedError.
        """
        try:
            while True:
                for update in await self._retry.call(self._fetch):
                    await self._room.acquire()
                    answer = asyncio.create_task(self._answer(update))
                    self._answers.add(answer)
                    answer.add_done_callback(self._answers.discard)
                    self._offset = update.update_id + 1
        finally:
            await self._finish()

    async def _fetch(self) -> list[Update]:
        used = self._dispatcher.resolve_used_update_types()
        return await self._bot.get_updates(
            offset=self._offset,
            timeout=self._poll_s,
            allowed_updates=used,
            request_timeout=self._poll_s + 10,
        )

    async def _answer(self, update: Update) -> None:
        try:
            self._metrics.received("bot")
            if await self._dispatcher.feed_update(self._bot, update) not in (FAILED, UNHANDLED):
                self._metrics.sent("bot")
        except AiogramError as error:
            # Not even the notice of the failure reached the chat.
            logger.warning("answer_lost", extra={"reason": str(error)})
        finally:
            self._room.release()

    async def _finish(self) -> None:
        if self._answers:
            _, late = await asyncio.wait(self._answers, timeout=GRACE_S)
            for answer in late:
                answer.cancel()
        if self._offset is not None:
            with suppress(AiogramError):
                await self._bot.get_updates(offset=self._offset, limit=1, request_timeout=1)
