"""Everything in one process, on real Telegram."""

from analyticbot.config import Settings
from analyticbot.engine import running_engine
from analyticbot.faces import answer, api_settings, serve
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_control
from analyticbot.telegram import collect, stored_account
from bot.settings import BotSettings
from streams.clock import SystemClock
from streams.metrics import Metrics


async def up(settings: Settings) -> None:
    """Run until a signal. Raises Failure."""
    stored_account(settings)
    clock = SystemClock()
    with stop_on_signals() as stop:
        async with (
            opened_control(settings) as control,
            running_engine(settings, clock, Metrics()) as engine,
        ):
            server = await serve(engine, clock, api_settings(settings))
            collect(engine, control, clock, lambda: stored_account(settings))
            if settings.bot_token:
                told = BotSettings(
                    base_url=settings.public_url or server.url, allowed_chats=settings.bot_chats
                )
                answer(engine, control, clock, settings.bot_token, told)
            print(f"AnalyticBot is running: {server.url}", flush=True)
            await engine.crew.watch(stop)
