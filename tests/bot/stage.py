"""A whole bot: real aiogram, loopback Bot API, embedded log, SQLite."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bot.bot import Bot
from bot.settings import BotSettings
from clickhouse.reader import Reader
from control.sql import SqlControl, open_control
from control.store import Subscription
from loopback.bot_api import TOKEN, BotApi
from loopback.bot_api_chats import Sent
from streams.analytics import Alert
from streams.ids import ChannelId
from streams.log import Log
from streams.metrics import Metrics
from tests.api.reading import FixedReader
from tests.api.serving import CHANNEL, NOW_MS, open_log, put, standing_clock

ANN, BEN = 5, 6
RAISED = Alert(
    channel_id=CHANNEL,
    observed_at_ms=NOW_MS - 60_000,
    alert_id=f"{CHANNEL}/spike/1",
    type="spike",
    state="raised",
    raised_at_ms=NOW_MS - 60_000,
    observed=400.0,
    expected=80.0,
    method="views gained in a minute reached 5 times the median",
)


def updated(observed: float, after_ms: int = 1_000, of: Alert = RAISED) -> Alert:
    at_ms = of.observed_at_ms + after_ms
    return msgspec.structs.replace(of, state="updated", observed=observed, observed_at_ms=at_ms)


def resolved(of: Alert = RAISED) -> Alert:
    at_ms = of.observed_at_ms + 600_000
    return msgspec.structs.replace(of, state="resolved", observed_at_ms=at_ms, resolved_at_ms=at_ms)


def another(number: int, channel_id: ChannelId = CHANNEL) -> Alert:
    alert_id = f"{channel_id}/spike/{number}"
    return msgspec.structs.replace(RAISED, alert_id=alert_id, channel_id=channel_id)


class Stage:
    """What a test plays with; made by `stage`."""

    def __init__(self, api: BotApi, log: Log, control: SqlControl, reader: Reader) -> None:
        self.api = api
        self.log = log
        self.control = control
        self.reader = reader
        self.metrics = Metrics()
        self.settings = BotSettings(poll_s=20)

    def bot(self, token: str = TOKEN) -> Bot:
        return Bot(
            token,
            self.api.url,
            self.reader,
            self.control,
            self.log,
            standing_clock(),
            self.metrics,
            self.settings,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The bot runs, reads alerts and polls for updates, in this context."""
        polls = len(self.api.called("getUpdates"))
        run = asyncio.create_task(self.bot().run())
        try:
            await self.api.until(lambda: len(self.api.called("getUpdates")) > polls or run.done())
            yield
        finally:
            run.cancel()
            await asyncio.wait({run})
            if not run.cancelled():
                run.result()

    async def subscribe(self, *chats: int) -> None:
        for chat_id in chats:
            self.api.open_chat(chat_id)
            await self.control.subscribe(Subscription(chat_id, CHANNEL))

    async def raise_(self, *alerts: Alert) -> None:
        await put(self.log, *alerts)

    async def ask(self, text: str, chat_id: int = ANN) -> Sent:
        """Somebody writes to the bot; what it answers."""
        before = len(self.api.sent(chat_id))
        self.api.message(chat_id, text)
        return (await self.api.sent_to(chat_id, before + 1))[before]

    async def press(self, message: Sent, label: str) -> str:
        return await self.api.answer_to(self.api.click(message, label))

    def sent(self, chat_id: int = ANN) -> list[Sent]:
        return self.api.sent(chat_id)

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, {"stage": "bot", **labels}) or 0


@asynccontextmanager
async def staged(folder: Path, reader: Reader | None = None) -> AsyncIterator[Stage]:
    control = open_control(f"sqlite:///{folder}/control.sqlite")
    await control.migrate()
    log = await open_log(folder / "log")
    try:
        async with BotApi() as api:
            yield Stage(api, log, control, reader or FixedReader())
    finally:
        await log.close()
        await control.close()
