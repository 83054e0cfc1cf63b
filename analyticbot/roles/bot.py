"""The role `bot`: one process answers and alerts; the others are standbys.

Telegram refuses two processes that poll for one bot, so the polling process holds the bot's lease.
"""

import asyncio
import logging
from collections.abc import Callable

from analyticbot.failure import Failure
from analyticbot.process import Process
from bot.bot import Bot, BotError
from bot.settings import BotSettings
from clickhouse.reader import Reader
from control.lease_keeper import Tenure
from control.store import ControlError, ControlStore, LeaseLost
from streams.health import Finding, not_ready
from streams.pauses import Pauses
from streams.retry import Retry

logger = logging.getLogger(__name__)

EVERY_S, LONGEST_PAUSE_S = 1.0, 10.0


def answer(
    process: Process,
    reader: Reader,
    control: ControlStore,
    token: str,
    settings: BotSettings,
    api_url: str | None = None,
    *,
    needed: bool = True,
) -> None:
    """Starts the bot; it stops with the process's services. Raises Failure.

    With `api_url` None it uses Telegram's own API. With `needed` the process is not ready while
    the bot's lease cannot be acquired or renewed.
    """

    def make() -> Bot:
        ports = (reader, control, process.log, process.clock, process.metrics)
        return Bot(token, api_url, *ports, settings)

    try:
        make()
    except BotError as error:
        raise Failure(str(error)) from error
    name = f"bot/{token.partition(':')[0]}"
    answering = Answering(process, control, name, make)
    process.health.add("bot", answering.check, needed=needed)
    process.services.add("bot", answering.run())


class Answering:
    """Waits for the lease `name`, and runs a bot while the lease lasts."""

    def __init__(
        self, process: Process, control: ControlStore, name: str, make: Callable[[], Bot]
    ) -> None:
        self._process = process
        self._control = control
        self._name = name
        self._make = make
        self._tenure: Tenure | None = None
        #: The bot that runs while the lease is held.
        self._bot: Bot | None = None
        self._retry = Retry({ControlError: "control"}, logger, Pauses(EVERY_S, LONGEST_PAUSE_S))
        #: Why the bot does not answer, other than an outage of the control store.
        self._trouble = "starting"

    async def check(self) -> Finding:
        if trouble := self._retry.trouble or self._trouble:
            return not_ready(trouble)
        if self._tenure is None:
            return Finding(True, "standing by: another process answers")
        if self._tenure.trouble:
            return not_ready(f"cannot renew its lease: {self._tenure.trouble}")
        if self._bot is not None and self._bot.trouble:
            return not_ready(f"cannot reach Telegram: {self._bot.trouble}")
        return Finding(True, "answers")

    async def run(self) -> None:
        """Runs until cancelled. Retries on ControlError. Raises WrongToken, LogError."""
        while True:
            self._tenure = await self._retry.call(self._acquired)
            self._trouble = ""
            if self._tenure is None:
                await asyncio.sleep(EVERY_S)
            else:
                await self._answer(self._tenure)

    async def _acquired(self) -> Tenure | None:
        process = self._process
        lease_s = process.settings.lease_s
        return await Tenure.acquired(
            self._control.leases, self._name, process.holder, lease_s, alone=process.alone
        )

    async def _answer(self, tenure: Tenure) -> None:
        self._told(1)
        try:
            self._bot = self._make()
            await tenure.run(self._bot.run(), _tell_overdue)
        except LeaseLost as lost:
            logger.warning("bot_stops", extra={"reason": str(lost)})
            self._trouble = str(lost)
        finally:
            self._tenure = self._bot = None
            self._told(0)

    def _told(self, held: int) -> None:
        self._process.metrics.gauge("analyticbot_lease_held", held, kind="bot")


def _tell_overdue(reason: str) -> None:
    """Two bots that overlap briefly do no harm: Telegram ends the poll of the older one."""
    logger.warning("bot_overlaps", extra={"reason": reason})
