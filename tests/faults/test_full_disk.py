"""A disk that fills up under a running installation: it takes nothing in and says why, what it
knows is answered, it can be stopped and started, and with room it goes on by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from analyticbot.roles.work import GROUP
from control.key_file import KeyFile
from control.sql import open_control
from control.store import Account
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams import topics
from streams.clock import SystemClock
from streams.codec import decode_event
from streams.embedded.log import EmbeddedLog
from streams.events import PostsSeen
from streams.ids import ChannelId
from tests.agents.history_told import stored
from tests.agents.working import is_settled
from tests.analyticbot.command import COMMAND, environment
from tests.analyticbot.role import POLL_S, STOP_S, Role
from tests.faults.disk import Disk, small_disk
from tests.faults.expectation import expected
from tests.faults.history import differences as history_differences
from tests.faults.history import is_stored, wanted
from tests.faults.left import differences, left_in, lying

MIB = 1 << 20
USER = 777
CHANNEL, NAME = ChannelId(1_900_000_001), "the_channel"


class Installation:
    """`analyticbot up` with all its state on one disk."""

    def __init__(self, data: Path, said: Path, log_options: str = "") -> None:
        self.data = data
        self._log = f"embedded://{data / 'log'}{log_options}"
        self._said = said
        self.role: Role
        #: The texts of all posts.
        self.posted: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.role.kill()

    async def start(self) -> None:
        variables = environment(
            self.data,
            ANALYTICBOT_LOG=self._log,
            ANALYTICBOT_PORT="0",
            ANALYTICBOT_LEASE_S="5",
            TELEGRAM_API_ID=str(LoopbackTelegram.api_id),
            TELEGRAM_API_HASH=LoopbackTelegram.api_hash,
        )
        self.role = await Role.started((COMMAND, "up"), variables, self._said)

    async def log_in(self, session: str) -> None:
        key = KeyFile(self.data / "secret.key")
        control = open_control(f"sqlite:///{self.data}/control.db", key)
        await control.migrate()
        await control.accounts.put(Account(USER, session, 1))
        await control.follow(NAME, 1)
        await control.close()

    async def stop(self) -> None:
        assert await self.role.stop() < STOP_S
        assert self.role.process.returncode == 0, self.said()
        assert "Traceback" not in self.said()

    async def answers(self, *texts: str) -> None:
        """Page and REST are there, and REST knows these posts."""
        assert await self.texts() == sorted(texts)
        assert (await self.role.http.get("/")).status_code == 200

    async def texts(self) -> list[str]:
        posts = await self.role.data(f"/api/v1/channels/{CHANNEL}/posts?limit=100")
        return sorted(post["text"] for post in posts or ())

    async def shows(self, *texts: str) -> None:
        while await self.texts() != sorted(texts):  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)

    async def metric(self, name: str) -> str:
        lines = (await self.role.http.get("/metrics")).text.splitlines()
        return next(line.split()[1] for line in lines if line.startswith(f"{name} "))

    def said(self) -> str:
        return self._said.read_text()

    async def check(self, folder: Path) -> None:
        """Everything that came is there once, and what follows from it. After its end."""
        log = await EmbeddedLog.open(self.data / "log")
        assert await is_settled(log)
        assert await is_stored(log)
        assert differences(await left_in(log, GROUP), await expected(log)) == []
        seen = [
            post.text
            for records in (await lying(log, topics.UPDATES.name)).values()
            for record in records
            if isinstance(event := decode_event(record.value or b""), PostsSeen)
            for post in event.posts
        ]
        assert set(seen) == set(self.posted)
        rows = await wanted(log, folder / "wanted")
        await log.close()
        assert history_differences(stored(self.data / "history"), rows) == []


@pytest.mark.timeout(240)
async def test_a_running_installation_on_a_disk_that_fills_up(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(200),
        playing(tmp_path) as (one, disk, play),
    ):
        # Less than it needs: it stops by itself, before anything fails.
        disk.fill(leave=40 * MIB)
        await one.role.says("log", "MiB are free on its disk, 64 MiB are needed: make room")
        play("without room")
        assert (await one.role.parts())[0] == 503
        while await one.metric("analyticbot_log_held") != "1.0":  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        await one.answers("before")

        # It can be stopped, and it starts without room.
        await one.stop()
        await one.start()
        await one.role.says("log", "make room")
        await one.shows("before")

        # Nothing is left: what operators set cannot be written either.
        disk.fill()
        play("with nothing left")
        await one.role.says("accounts", "database or disk is full")
        await one.answers("before")

        disk.make_room()
        await one.shows("before", "without room", "with nothing left")
        await one.role.ready()
        play("after")
        await one.shows("before", "without room", "with nothing left", "after")
        await one.stop()
        assert one.said().count(" unavailable what=log ") == 2
        assert one.said().count(" available what=log ") == 1
        await one.check(tmp_path)


@pytest.mark.chaos
@pytest.mark.timeout(240)
async def test_stores_that_meet_the_end_of_the_disk_go_on_by_themselves(tmp_path: Path) -> None:
    """Another program takes all at once, before the log could look: control store and history
    fail. (The log itself has reserved some MiB; tests/faults/test_disk.py takes those too.)
    """
    async with (
        asyncio.timeout(200),
        playing(tmp_path, "?free_bytes=0") as (one, disk, play),
    ):
        disk.fill()
        play("with nothing left")
        await one.role.says("accounts", "database or disk is full")
        while "unavailable what=history" not in one.said():  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        await one.answers("before")
        disk.make_room()
        await one.shows("before", "with nothing left")
        await one.role.ready()
        await one.stop()
        await one.check(tmp_path)


Play = Callable[[str], None]


@asynccontextmanager
async def playing(
    folder: Path, log_options: str = ""
) -> AsyncIterator[tuple[Installation, Disk, Play]]:
    """An installation that has shown the post `before`, and what publishes further ones."""
    world = World(SystemClock())
    channel = world.add_channel(CHANNEL, NAME, "Channel")
    with small_disk(folder / "disk", 180 * MIB, 170 * MIB) as disk:
        data = disk.folder / "data"
        data.mkdir()
        one = Installation(data, folder / "said", log_options)

        def play(text: str) -> None:
            world.post(channel, text)
            one.posted.append(text)

        play("before")
        async with LoopbackTelegram(world) as telegram, one:
            await one.log_in(telegram.session(USER).save())
            await one.start()
            await one.shows("before")
            yield one, disk, play
