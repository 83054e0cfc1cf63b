"""Runs each role as a separate process: opens its stores, runs until a signal, closes them."""

from collections.abc import Awaitable, Callable

from analyticbot.config import Settings
from analyticbot.installed import Decisions, decisions
from analyticbot.process import Process, started
from analyticbot.roles.announcing import announce
from analyticbot.roles.bot import answer
from analyticbot.roles.collect import collect
from analyticbot.roles.listening import listen
from analyticbot.roles.serve import serve
from analyticbot.roles.work import work
from analyticbot.session_file import import_session
from analyticbot.signals import stop_on_signals
from analyticbot.stores import looked_into, opened_control, opened_history, opened_log
from api.checks import whole_check
from api.server import Server
from bot.settings import BotSettings
from clickhouse.history_reader import HistoryReader
from collect.account import Application
from streams.clock import SystemClock
from streams.log import Log
from streams.metrics import Metrics


async def run_work(settings: Settings) -> None:
    """Runs until a signal. Raises Failure, ConfigError."""
    known = decisions(settings.without)
    async with opened_log(settings, known) as log, opened_history(settings) as history:

        async def add(process: Process) -> Server:
            server = await listen(process)
            work(process, history)
            return server

        await _run("work", settings, log, add, known)


async def run_serve(settings: Settings) -> None:
    """Runs until a signal. Raises Failure, ConfigError.

    Migrates an embedded history, which no other process can; a server is migrated elsewhere.
    """
    in_process = settings.history.startswith("chdb:")
    known = decisions(settings.without)
    async with (
        opened_log(settings, known) as log,
        opened_history(settings, migrate=in_process) as history,
        looked_into(settings) as control,
    ):

        async def add(process: Process) -> Server:
            # Not needed: pages show whatever history has.
            process.health.add("history_whole", whole_check(history), needed=False)
            if control is not None:
                announce(process, control)
            return await serve(process, HistoryReader(history), control)

        await _run("serve", settings, log, add, known)


async def run_collect(settings: Settings) -> None:
    """Runs until a signal. Raises Failure, ConfigError."""
    known = decisions(settings.without)
    async with opened_log(settings, known) as log, opened_control(settings) as control:
        await import_session(settings, control, SystemClock().now_ms())

        async def add(process: Process) -> Server:
            server = await listen(process)
            collect(process, control, application(settings))
            return server

        await _run("collect", settings, log, add, known)


async def run_bot(settings: Settings, api_url: str | None = None) -> None:
    """Runs until a signal. `api_url` None: Telegram's own API. Raises Failure, ConfigError."""
    assert settings.bot_token is not None
    token = settings.bot_token
    known = decisions(settings.without)
    async with (
        opened_log(settings, known) as log,
        opened_control(settings) as control,
        opened_history(settings, migrate=False) as history,
    ):

        async def add(process: Process) -> Server:
            server = await listen(process)
            told = bot_settings(settings, server.url)
            answer(process, HistoryReader(history), control, token, told, api_url)
            announce(process, control)
            return server

        await _run("bot", settings, log, add, known)


def application(settings: Settings) -> Application:
    """Call it only after preflight.check_credentials."""
    assert settings.telegram_api_id is not None
    assert settings.telegram_api_hash is not None
    return Application(settings.telegram_api_id, settings.telegram_api_hash)


def bot_settings(settings: Settings, url: str) -> BotSettings:
    base_url = settings.public_url or url
    return BotSettings(base_url=base_url, allowed_chats=settings.bot_chats)


async def _run(
    role: str,
    settings: Settings,
    log: Log,
    add: Callable[[Process], Awaitable[Server]],
    known: Decisions,
) -> None:
    with stop_on_signals() as stop:
        async with started(settings, log, SystemClock(), Metrics(), known) as process:
            server = await add(process)
            print(f"AnalyticBot: {role} is running: {server.url}", flush=True)
            await process.services.watch(stop)
