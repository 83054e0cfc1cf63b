"""The whole system on a recording that a Telegram on loopback plays. No account, no state kept."""

import asyncio
import tempfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import msgspec

from analyticbot.config import Settings
from analyticbot.engine import running_engine
from analyticbot.faces import answer, api_settings, serve
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_control
from analyticbot.telegram import collect
from api.settings import Settings as ApiSettings
from bot.settings import BotSettings
from streams.clock import SpeededClock, SystemClock
from streams.loopback.bot_api import BotApi
from streams.loopback.played import read_channels
from streams.loopback.player import Player
from streams.loopback.telegram import LoopbackTelegram
from streams.loopback.world.world import World
from streams.metrics import Metrics
from streams.recording import Recording
from streams.sources.telegram.settings import CollectorSettings

USER_ID = 777_000_001
BOT_TOKEN = "1000000001:loopback-demo-token-not-a-secret"
MEASURED = (
    "Times and counters of ten public channels, recorded; of @hykilp the counters were sampled "
    "about every two hours over eleven months."
)
MODELLED = (
    "Each post of the nine news channels was sampled once: its last value is measured, the growth "
    "towards it is modelled. Texts and titles are ours. Subscribers are not in the recording."
)
CREDITS = (
    "HSE-AI25-Team-78/aggregator-bot (MIT)",
    "hykilpikonna/TelegramChanApi (MIT)",
)


async def demo(port: int, speed: float, exit_after_s: float | None = None) -> None:
    """Run until a signal, or so many seconds. Raises Failure."""
    clock = SpeededClock(SystemClock().now_ms(), speed)
    with stop_on_signals() as stop, tempfile.TemporaryDirectory(prefix="analyticbot-") as folder:
        if exit_after_s is not None:
            asyncio.get_running_loop().call_later(exit_after_s, stop.set)
        await _play(_demo_settings(Path(folder), port), clock, stop)


async def _play(settings: Settings, clock: SpeededClock, stop: asyncio.Event) -> None:
    world = World(clock)
    with resources.as_file(resources.files("streams.loopback") / "recording") as folder:
        channels = read_channels(Recording(folder))
    player = Player(world, channels)
    async with (
        LoopbackTelegram(world, strict=False) as telegram,
        BotApi(BOT_TOKEN) as bot_api,
        opened_control(settings) as control,
        running_engine(settings, clock, Metrics()) as engine,
    ):
        for channel in channels:
            await control.follow(str(channel.username or channel.channel_id), clock.now_ms())
        engine.crew.add("player", _play_on(player))
        server = await serve(engine, clock, _api_settings(settings))
        account = (telegram.session(USER_ID), telegram.api_id, telegram.api_hash)
        collect(engine, control, clock, lambda: account, CollectorSettings(source="recording"))
        links = BotSettings(base_url=server.url)
        answer(engine, control, clock, BOT_TOKEN, links, bot_api.url)
        _greet(server.url, clock)
        await engine.crew.watch(stop)


async def _play_on(player: Player) -> None:
    """The recording ends some day; the demo does not."""
    await player.run()
    await asyncio.Event().wait()


def _demo_settings(folder: Path, port: int) -> Settings:
    """Nothing of what the operator set is touched: all state is in a folder that is removed."""
    return Settings(
        data=folder,
        log=f"embedded://{folder / 'log'}",
        history=f"chdb://{folder / 'history'}",
        control=f"sqlite:///{folder / 'control.db'}",
        host="127.0.0.1",
        port=port,
        partitions=4,
        log_days=7,
        log_mib=64,
        public_url="",
        api_key=None,
        telegram_api_id=None,
        telegram_api_hash=None,
        bot_token=None,
        bot_chats=None,
        log_level="info",
    )


def _api_settings(settings: Settings) -> ApiSettings:
    return msgspec.structs.replace(
        api_settings(settings), mode="demo", measured=MEASURED, modelled=MODELLED, credits=CREDITS
    )


def _greet(url: str, clock: SpeededClock) -> None:
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    print(
        f"AnalyticBot plays a recording of ten channels, {clock.speed:g} times faster.\n"
        f"  page             {url}\n"
        f"  API              {url}/docs\n"
        f"  its clock says   {now:%a %d %b %H:%M} UTC\n"
        "Ctrl-C ends it.",
        flush=True,
    )
