"""A cluster of real processes: every role on a real broker, PostgreSQL and loopback Telegram."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the stand-in for ClickHouse needs the extra `embedded`")

from control.sql import open_control
from control.store import Account
from streams.clock import SystemClock
from streams.ids import ChannelId
from streams.loopback.bot_api import TOKEN, BotApi
from streams.loopback.telegram import LoopbackTelegram
from streams.loopback.world.world import World
from tests.analyticbot.command import COMMAND, environment
from tests.analyticbot.role import POLL_S, STOP_S, Role
from tests.clickhouse.shim import serving
from tests.control.postgres import PROGRAMS, Postgres
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started

ANN, BEN, CHAT = 801, 802, 5
CHANNELS = [ChannelId(3000 + number) for number in range(6)]
#: What one step may take, on a machine that does other things too.
PATIENCE_S = 90.0
BOT = (sys.executable, "-m", "tests.analyticbot.bot_child")


@pytest.fixture(scope="module")
def kafka() -> Iterator[Cluster]:
    """Of our own: the names of topics and groups are fixed in the product."""
    yield from started(Cluster())


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    if not PROGRAMS:
        pytest.skip("no PostgreSQL server on this machine")
    with Postgres() as postgres:
        yield postgres


class Stage:
    """Everything that a cluster stands on, and its processes."""

    def __init__(
        self, folder: Path, telegram: LoopbackTelegram, bot_api: BotApi, variables: dict[str, str]
    ) -> None:
        self.folder = folder
        self.telegram = telegram
        self.bot_api = bot_api
        self.variables = variables
        self.roles: list[Role] = []

    async def start(self, role: str) -> Role:
        number = str(len(self.roles))
        own = {"ANALYTICBOT_DATA": str(self.folder / number)}
        command = (*BOT, self.bot_api.url) if role == "bot" else (COMMAND, role)
        log = self.folder / f"{number}-{role}.log"
        self.roles.append(await Role.started(command, {**self.variables, **own}, log))
        return self.roles[-1]

    async def command(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            COMMAND, *arguments, env=self.variables, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0

    def post(self, text: str) -> None:
        """In every channel."""
        for channel_id in CHANNELS:
            world = self.telegram.world
            world.post(world.channels[channel_id], text)

    async def served(self, role: Role, *texts: str) -> None:
        """Wait until the role answers these posts of every channel, newest first."""
        wanted = {channel_id: list(texts) for channel_id in CHANNELS}
        found: dict[ChannelId, list[str] | None] = {}
        deadline_s = time.monotonic() + PATIENCE_S
        while found != wanted:
            assert time.monotonic() < deadline_s, f"it still answers {found}"
            for channel_id in CHANNELS:
                posts = await role.data(f"/api/v1/channels/{channel_id}/posts")
                await asyncio.sleep(POLL_S)
                found[channel_id] = None if posts is None else [post["text"] for post in posts]


@asynccontextmanager
async def staged(
    folder: Path, kafka: Cluster, postgres: Postgres, variables: dict[str, str] | None = None
) -> AsyncIterator[Stage]:
    world = World(SystemClock())
    for channel_id in CHANNELS:
        world.add_channel(channel_id, f"channel{channel_id}", f"Channel {channel_id}")
    control_url = await postgres.database()
    async with (
        serving(folder / "clickhouse") as (_, port),
        LoopbackTelegram(world) as telegram,
        BotApi() as bot_api,
    ):
        telegram.faults.one_session_per_key = True
        own = environment(
            folder / "operator",
            ANALYTICBOT_LOG=kafka.url,
            ANALYTICBOT_HISTORY=f"clickhouse://127.0.0.1:{port}/{postgres_name(control_url)}",
            ANALYTICBOT_CONTROL=control_url,
            ANALYTICBOT_PORT="0",
            ANALYTICBOT_LEASE_S="9",
            TELEGRAM_API_ID="1",
            TELEGRAM_API_HASH="loopback",
            BOT_TOKEN=TOKEN,
        )
        stage = Stage(folder, telegram, bot_api, {**own, **(variables or {})})
        await stage.command("migrate")
        control = open_control(control_url)
        for user in (ANN, BEN):
            await control.accounts.put(Account(user, telegram.session(user).save(), user))
        await control.close()
        await stage.command("follow", *(f"channel{one}" for one in CHANNELS))
        try:
            async with asyncio.timeout(250):
                yield stage
        finally:
            for role in stage.roles:
                await role.kill()


def postgres_name(url: str) -> str:
    """A name that no other test uses, for history too."""
    return url.rpartition("/")[2]


@pytest.mark.timeout(400)
async def test_a_cluster_observes_decides_serves_and_goes_on_without_those_killed(
    tmp_path: Path, kafka: Cluster, postgres: Postgres
) -> None:
    async with staged(tmp_path, kafka, postgres) as stage:
        stage.post("first")
        names = ("work", "serve", "collect", "collect", "bot", "bot", "work", "serve")
        roles = await asyncio.gather(*(stage.start(name) for name in names[:6]))
        work, serve, one, two, bot, other_bot = roles
        await asyncio.gather(*(role.ready() for role in roles))
        await one.says("accounts", "account 80", "observes")
        await two.says("accounts", "account 80", "observes")
        await stage.served(serve, "first")

        # Whoever collects a channel, and whoever works on it: every replica of the page has it.
        other_work, other_serve = [await stage.start(name) for name in names[6:]]
        await other_work.says("tables", "2 tasks")
        await work.says("tables", "2 tasks")
        await stage.served(other_serve, "first")

        # The one that answers, of two; then it is killed, as is a collector and a worker.
        if (await bot.parts())[1]["bot"] != "answers":
            bot, other_bot = other_bot, bot
        stage.bot_api.message(CHAT, "/start")
        await stage.bot_api.sent_to(CHAT, 1)
        await asyncio.gather(bot.kill(), one.kill(), work.kill())
        stage.post("second")
        await asyncio.gather(
            two.says("accounts", "account 801 observes 3", "account 802 observes 3"),
            other_bot.says("bot", "answers"),
            other_work.says("tables", "4 tasks"),
        )
        stage.bot_api.message(CHAT, "/start")
        await stage.bot_api.sent_to(CHAT, 2)
        await stage.served(serve, "second", "first")
        await stage.served(other_serve, "second", "first")

        # Under load, everything ends in time.
        load = asyncio.create_task(post_on(stage))
        left = (two, other_bot, other_work, serve, other_serve)
        for role in left:
            assert await role.stop() < STOP_S
            assert role.process.returncode == 0
        load.cancel()
        assert "AUTH_KEY_DUPLICATED" not in {call.error for call in stage.telegram.calls}


async def post_on(stage: Stage) -> None:
    number = 0
    while True:
        number += 1
        stage.post(f"load {number}")
        await asyncio.sleep(0.05)
