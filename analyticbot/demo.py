"""The whole system on a recording that a loopback Telegram plays; no account, no state kept."""

import asyncio
from importlib import resources
from pathlib import Path

import msgspec

from analyticbot.config import Settings, read_settings
from analyticbot.demo_folder import demo_folder, temporary_files_in
from analyticbot.greeting import COMING, greeting, taking_off
from analyticbot.installed import Decisions, decisions
from analyticbot.process import started
from analyticbot.roles.bot import answer
from analyticbot.roles.collect import collect
from analyticbot.roles.listening import api_settings
from analyticbot.roles.serve import serve
from analyticbot.roles.work import work
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_control, opened_history, opened_log
from api.settings import Settings as ApiSettings
from bot.settings import BotSettings
from clickhouse.history_reader import HistoryReader
from collect.account import Application
from collect.settings import CollectorSettings
from control.store import Account
from loopback.bot_api import BotApi
from loopback.played import read_channels
from loopback.player import Player
from loopback.staging import AUDIENCES, STAGED, TAKES_OFF_MS
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams.clock import SpeededClock, SystemClock
from streams.metrics import Metrics
from streams.recording import Recording

USER_ID = 777_000_001
BOT_TOKEN = "1000000001:loopback-demo-token-not-a-secret"
MEASURED = (
    "Times and counters of ten public channels, recorded; of @hykilp the counters were sampled "
    "about every two hours over eleven months."
)
MODELLED = (
    "Each post of the nine news channels was sampled once: its last value is measured, the growth "
    "towards it is modelled. So are all subscribers, and the posts whose text says so: one that "
    "takes off, an album, an edit, a deletion. Texts and titles are ours."
)
CREDITS = (
    "HSE-AI25-Team-78/aggregator-bot (MIT)",
    "hykilpikonna/TelegramChanApi (MIT)",
)


async def demo(operator: Settings, speed: float, exit_after_s: float | None = None) -> None:
    """Runs until a signal, or for `exit_after_s`. Raises Failure, ConfigError."""
    known = decisions(operator.without)
    clock = SpeededClock(SystemClock().now_ms(), speed)
    with stop_on_signals() as stop, demo_folder() as folder, temporary_files_in(folder):
        if exit_after_s is not None:
            asyncio.get_running_loop().call_later(exit_after_s, stop.set)
        await _play(_demo_settings(operator, folder), clock, stop, known)


async def _play(
    settings: Settings, clock: SpeededClock, stop: asyncio.Event, known: Decisions
) -> None:
    world = World(clock)
    with resources.as_file(resources.files("loopback") / "recording") as folder:
        channels = read_channels(Recording(folder))
    player = Player(world, channels, STAGED, AUDIENCES)
    async with (
        LoopbackTelegram(world, strict=False) as telegram,
        BotApi(BOT_TOKEN) as bot_api,
        opened_control(settings) as control,
        opened_log(settings, known, clock) as log,
        opened_history(settings) as history,
        started(settings, log, clock, Metrics(), known) as process,
    ):
        for channel in channels:
            await control.follow(str(channel.username or channel.channel_id), clock.now_ms())
        session = telegram.session(USER_ID).save()
        await control.accounts.put(Account(USER_ID, session, clock.now_ms()))
        reader = HistoryReader(history)
        work(process, history)
        process.services.add("player", _play_on(player))
        server = await serve(process, reader, control, _api_settings(settings))
        application = Application(telegram.api_id, telegram.api_hash)
        collect(process, control, application, CollectorSettings(source="recording"), needed=False)
        links = BotSettings(base_url=server.url)
        answer(process, reader, control, BOT_TOKEN, links, bot_api.url, needed=False)
        coming = (taking_off("@d_code", TAKES_OFF_MS, clock.speed), *COMING)
        print(greeting(server.url, clock.speed, clock.now_ms(), coming), flush=True)
        await process.services.watch(stop)


async def _play_on(player: Player) -> None:
    """Never returns: the demo continues after the end of the recording."""
    await player.run()
    await asyncio.Event().wait()


def _demo_settings(operator: Settings, folder: Path) -> Settings:
    """The operator's options for a demo, with all state in `folder`, which is removed."""
    chosen = {
        "ANALYTICBOT_DATA": str(folder),
        "ANALYTICBOT_HOST": operator.host,
        "ANALYTICBOT_PORT": str(operator.port),
        "ANALYTICBOT_API_KEY": operator.api_key or "",
        "ANALYTICBOT_LOG_MIB": "64",
        "ANALYTICBOT_LEASE_S": str(operator.lease_s),
        "ANALYTICBOT_TRACES": operator.traces or "",
        "ANALYTICBOT_TRACE_SHARE": str(operator.trace_share),
    }
    return read_settings(chosen, folder)


def _api_settings(settings: Settings) -> ApiSettings:
    return msgspec.structs.replace(
        api_settings(settings), mode="demo", measured=MEASURED, modelled=MODELLED, credits=CREDITS
    )
