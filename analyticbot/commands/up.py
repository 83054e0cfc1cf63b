"""`analyticbot up`: everything in one process, on real Telegram."""

import argparse

from analyticbot.config import Settings
from analyticbot.engine import running_engine
from analyticbot.faces import api_settings, bot, serve
from analyticbot.preflight import check_credentials, check_folder, check_port
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_control
from analyticbot.telegram import collect, stored_session
from streams.clock import SystemClock
from streams.metrics import Metrics


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    check_credentials(settings)
    check_folder(settings.data)
    check_port(settings.host, settings.port)
    session = stored_session(settings)
    clock = SystemClock()
    with stop_on_signals() as stop:
        async with (
            opened_control(settings) as control,
            running_engine(settings, clock, Metrics()) as engine,
        ):
            server = await serve(engine, clock, api_settings(settings))
            assert settings.telegram_api_id is not None
            assert settings.telegram_api_hash is not None
            account = (session, settings.telegram_api_id, settings.telegram_api_hash)
            collect(engine, control, clock, account)
            if settings.bot_token:
                bot(engine, control, clock, settings.bot_token, settings.public_url or server.url)
            print(f"AnalyticBot is running: {server.url}", flush=True)
            await engine.crew.watch(stop)
    return 0
