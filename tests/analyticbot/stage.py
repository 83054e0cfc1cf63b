"""A cluster of real processes on a real broker, PostgreSQL, ClickHouse's stand-in and loopback
Telegram: what all of it stands on, and its roles.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from control.sql import open_control
from control.store import Account
from loopback.bot_api import TOKEN, BotApi
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams import topics
from streams.clock import SystemClock
from streams.codec import decode_event
from streams.events import PostsSeen
from streams.ids import ChannelId
from streams.log import Log
from streams.opening import open_log
from tests.agents.history_told import stored
from tests.analyticbot.command import COMMAND, environment
from tests.analyticbot.role import POLL_S, Role
from tests.control.keys import HEX, KEY
from tests.control.postgres import Postgres
from tests.faults.clickhouse import ClickHouse
from tests.faults.history import differences, is_stored, wanted
from tests.faults.left import lying
from tests.faults.waiting import until
from tests.kafka.cluster import Cluster
from tests.patience import PATIENCE_S

ANN, BEN = 801, 802
CHANNELS = [ChannelId(3000 + number) for number in range(6)]
#: What one step may take, on a machine that does other things too.
BOT = (sys.executable, "-m", "tests.analyticbot.bot_child")


class Stage:
    """Everything that a cluster stands on, and its processes."""

    def __init__(
        self,
        folder: Path,
        log: Log,
        history: ClickHouse,
        telegram: LoopbackTelegram,
        bot_api: BotApi,
        variables: dict[str, str],
    ) -> None:
        self.folder = folder
        self.log = log
        self.history = history
        self.telegram = telegram
        self.bot_api = bot_api
        self.variables = variables
        self.roles: list[Role] = []
        self._number = 0

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
        world = self.telegram.world
        for channel_id in CHANNELS:
            world.post(world.channels[channel_id], text)

    @asynccontextmanager
    async def posting(self, every_s: float) -> AsyncIterator[None]:
        """Into every channel, for as long as the block runs."""
        load = asyncio.create_task(self._post_on(every_s))
        try:
            yield
        finally:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)

    async def _post_on(self, every_s: float) -> None:
        while True:
            self._number += 1
            self.post(f"load {self._number}")
            await asyncio.sleep(every_s)

    async def served(self, role: Role, *texts: str) -> None:
        """Wait until these are the newest posts of every channel that the role answers."""
        newest = {channel_id: list(texts) for channel_id in CHANNELS}
        found: dict[ChannelId, list[str] | None] = {}
        deadline_s = time.monotonic() + PATIENCE_S
        while found != newest:
            assert time.monotonic() < deadline_s, f"it still answers {found}"
            for channel_id in CHANNELS:
                path = f"/api/v1/channels/{channel_id}/posts?limit={len(texts)}"
                posts = await role.data(path)
                await asyncio.sleep(POLL_S)
                found[channel_id] = None if posts is None else [post["text"] for post in posts]

    async def missed(self) -> set[tuple[ChannelId, int]]:
        """Channel and id of the posts that were published and are not in the log."""
        seen = {
            (event.channel_id, post.post_id)
            for records in (await lying(self.log, topics.UPDATES.name)).values()
            for record in records
            if isinstance(event := decode_event(record.value or b""), PostsSeen)
            for post in event.posts
        }
        channels = self.telegram.world.channels
        return {(at, i) for at in CHANNELS for i in channels[at].ids_between(0, None)} - seen

    async def check_history(self) -> None:
        """It holds all that is in the log, to the digit. Nobody writes any more."""
        await until(lambda: is_stored(self.log), PATIENCE_S, "everything stored")
        rows = await wanted(self.log, self.folder / "wanted")
        for role in self.roles:
            await role.stop()
        await asyncio.to_thread(self.history.stop)
        found = differences(stored(self.history.folder), rows)
        assert not found, "\n".join(found)


@asynccontextmanager
async def staged(folder: Path, kafka: Cluster, postgres: Postgres) -> AsyncIterator[Stage]:
    """With two accounts that are logged in, and all channels followed. Nothing runs yet."""
    world = World(SystemClock())
    for channel_id in CHANNELS:
        world.add_channel(channel_id, f"channel{channel_id}", f"Channel {channel_id}")
    control_url = await postgres.database()
    with ClickHouse(folder / "clickhouse") as history:
        async with LoopbackTelegram(world) as telegram, BotApi() as bot_api:
            telegram.faults.one_session_per_key = True
            variables = environment(
                folder / "operator",
                ANALYTICBOT_LOG=kafka.url,
                ANALYTICBOT_HISTORY=f"clickhouse://127.0.0.1:{history.port}/analyticbot",
                ANALYTICBOT_CONTROL=control_url,
                ANALYTICBOT_PORT="0",
                ANALYTICBOT_LEASE_S="9",
                TELEGRAM_API_ID="1",
                TELEGRAM_API_HASH="loopback",
                BOT_TOKEN=TOKEN,
                ANALYTICBOT_SECRET_KEY=HEX,
            )
            log = await open_log(kafka.url)
            stage = Stage(folder, log, history, telegram, bot_api, variables)
            try:
                await stage.command("migrate")
                control = open_control(control_url, KEY)
                for user in (ANN, BEN):
                    await control.accounts.put(Account(user, telegram.session(user).save(), user))
                await control.close()
                await stage.command("follow", *(f"channel{one}" for one in CHANNELS))
                yield stage
            finally:
                for role in stage.roles:
                    await role.kill()
                await log.close()
