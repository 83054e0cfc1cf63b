"""The running bot: answers and alerts.

BotError
└── WrongToken    Telegram does not know the token
"""

import asyncio
import logging
from functools import partial

import aiogram
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import BotCommand
from aiogram.utils.token import TokenValidationError

from bot import texts
from bot.alert_sender import AlertSender
from bot.alerts import Alerts
from bot.dispatcher import build_dispatcher
from bot.hiding import HiddenToken
from bot.patience import FloodWaits, outlast
from bot.polling import Polling
from bot.replies import Replies
from bot.settings import BotSettings
from clickhouse.reader import Reader
from control.store import ControlStore
from streams.clock import Clock
from streams.log import Log
from streams.metrics import Metrics
from streams.units import DAY_MS

logger = logging.getLogger(__name__)


class BotError(Exception): ...


class WrongToken(BotError):
    def __init__(self) -> None:
        super().__init__("BOT_TOKEN is not a token that Telegram knows; @BotFather shows yours")


class Bot:
    """Raises WrongToken if `token` is invalid. `api_url` None: Telegram's servers.

    The caller closes reader, control store and log.
    """

    def __init__(
        self,
        token: str,
        api_url: str | None,
        reader: Reader,
        control: ControlStore,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        settings: BotSettings,
    ) -> None:
        self._metrics = metrics
        self._control = control
        self._clock = clock
        self._settings = settings
        self._telegram = _telegram(token, api_url, metrics)
        replies = Replies(reader, control, clock, texts.Links(settings.base_url.rstrip("/")))
        dispatcher = build_dispatcher(replies, metrics, settings.allowed_chats)
        self._polling = Polling(self._telegram, dispatcher, metrics, settings.poll_s)
        self._introduced = False
        courier = AlertSender(self._telegram, replies, control, clock, metrics)
        self._alerts = Alerts(log, courier, metrics, settings.edit_every_s)

    @property
    def trouble(self) -> str | None:
        """Why the bot does not answer now; empty while it does. Health checks call it."""
        if not self._introduced:
            return "Telegram has not answered yet"
        return self._polling.trouble

    async def run(self) -> None:
        """Run until cancelled. Waits while Telegram is unavailable.

        Closes the connection to Telegram at the end. Raises WrongToken, LogError.
        """
        try:
            await self._introduce()
            runs = (self._polling.run(), self._alerts.run(), self._forget())
            parts = {asyncio.create_task(run) for run in runs}
            try:
                done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                for part in done:
                    part.result()
            finally:
                await _end(parts)
        except TelegramUnauthorizedError as error:
            raise WrongToken from error
        finally:
            await self._telegram.session.close()

    async def _introduce(self) -> None:
        """Check the token and register the commands.

        Raises WrongToken, TelegramUnauthorizedError.
        """
        try:
            me = await outlast(self._telegram.get_me, self._metrics)
        except TelegramNotFound as error:
            raise WrongToken from error
        commands = [BotCommand(command=name, description=text) for name, text in _MENU]
        await outlast(self._telegram.delete_webhook, self._metrics)
        await outlast(lambda: self._telegram.set_my_commands(commands), self._metrics)
        everybody = "everybody who finds it: ANALYTICBOT_BOT_CHATS limits it"
        answers = everybody if self._settings.allowed_chats is None else "its chats"
        logger.info("bot_started", extra={"username": me.username, "answers": answers})
        self._introduced = True

    async def _forget(self) -> None:
        """Once per day, forget deliveries that are too old to be edited. Runs until cancelled."""
        while True:
            before_ms = self._clock.now_ms() - self._settings.remember_deliveries_ms
            await outlast(partial(self._control.forget_deliveries, before_ms), self._metrics)
            await self._clock.sleep_ms(DAY_MS)


_MENU = tuple(texts.COMMANDS.items())


def _telegram(token: str, api_url: str | None, metrics: Metrics) -> aiogram.Bot:
    api = TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION
    session = AiohttpSession(api=api)
    session.middleware(FloodWaits(metrics))
    session.middleware(HiddenToken())
    defaults = DefaultBotProperties(parse_mode="HTML", link_preview_is_disabled=True)
    try:
        return aiogram.Bot(token, session=session, default=defaults)
    except TokenValidationError as error:
        raise WrongToken from error


async def _end(parts: set[asyncio.Task[None]]) -> None:
    """Cancel all parts at once, so that their grace periods run concurrently."""
    for part in parts:
        part.cancel()
    await asyncio.wait(parts)
