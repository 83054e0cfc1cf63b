"""Collectors in processes of their own before a Telegram that kills a session used twice: one is
killed, frozen out of the store or stopped, the other takes over, and nothing is lost.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from control.sql import open_control
from control.store import ACCOUNT_LEASES, Account, ControlStore
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams.clock import SystemClock
from streams.codec import decode_event
from streams.embedded.log import EmbeddedLog
from streams.events import PostsSeen
from streams.ids import ChannelId
from streams.topics import UPDATES
from tests.analyticbot.role import POLL_S, Role
from tests.control.keys import KEY
from tests.control.postgres import Postgres
from tests.control.postgres import started as postgres_started
from tests.faults.proxy import Proxy
from tests.patience import BUSY

#: Long enough for processes that wait for each other on a busy machine.
LEASE_S = 9
#: From a signal to the end: the store gets four of them.
STOP_S = 6 * BUSY
USERS = (701, 702, 703)
CHANNELS = [ChannelId(2000 + number) for number in range(8)]


class Child(Role):
    folder: Path

    async def until(self, *words: str) -> None:
        """Its accounts say all that."""
        await self.says("accounts", *words)

    async def seen(self) -> set[tuple[int, int]]:
        """Channel and id of the posts in its log. After its end."""
        log = await EmbeddedLog.open(self.folder / "log")
        found: set[tuple[int, int]] = set()
        for partition, bounds in (await log.bounds(UPDATES.name)).items():
            offset = bounds.first
            while records := await log.read(partition, offset, 500):
                offset = records[-1].offset + 1
                for record in records:
                    event = decode_event(record.value or b"")
                    if isinstance(event, PostsSeen):
                        found |= {(event.channel_id, post.post_id) for post in event.posts}
        await log.close()
        return found


class Scene:
    def __init__(self, folder: Path, control_url: str, control: ControlStore) -> None:
        self.folder = folder
        self.control_url = control_url
        self.control = control
        self.world = World(SystemClock())
        self.children: list[Child] = []
        self.posted: set[tuple[int, int]] = set()

    async def child(self, control_url: str | None = None) -> Child:
        """A collector that has started. `control_url`: its own way to the store."""
        folder = self.folder / str(len(self.children))
        folder.mkdir()
        command = (sys.executable, "-m", "tests.analyticbot.collecting_child")
        told = (str(folder), control_url or self.control_url, str(LEASE_S))
        child = await Child.started((*command, *told), os.environ, folder / "said")
        child.folder = folder
        self.children.append(child)
        return self.children[-1]

    def post(self, times: int = 1) -> None:
        """In every channel."""
        for _ in range(times):
            for channel_id in CHANNELS:
                post = self.world.post(self.world.channels[channel_id], "news")
                self.posted.add((channel_id, post.post_id))

    async def all_read(self, telegram: LoopbackTelegram) -> None:
        """Has every channel read again, which moves its cursor, and waits until that is done."""
        telegram.drop_connections()
        # Of each channel the last, which is the newest.
        newest = {ChannelId(one): post for one, post in sorted(self.posted)}
        while newest:
            await asyncio.sleep(POLL_S)
            cursors = [await self.control.cursor(one) for one in newest]
            read = {one.channel_id: one.last_post_id for one in cursors if one}
            newest = {one: post for one, post in newest.items() if read.get(one, 0) < post}

    async def refused(self) -> list[Any]:
        return [one.refused for one in await self.control.accounts.all()]


@asynccontextmanager
async def played(folder: Path, control_url: str) -> AsyncIterator[tuple[Scene, LoopbackTelegram]]:
    control = open_control(control_url, KEY)
    await control.migrate()
    scene = Scene(folder, control_url, control)
    for channel_id in CHANNELS:
        scene.world.add_channel(channel_id, f"channel{channel_id}", "C")
        await control.follow(f"channel{channel_id}", 1)
    scene.post()
    try:
        async with LoopbackTelegram(scene.world) as telegram:
            telegram.faults.one_session_per_key = True
            for user in USERS:
                session = telegram.session(user).save()
                await control.accounts.put(Account(user, session, user))
            async with asyncio.timeout(240):
                yield scene, telegram
    finally:
        for child in scene.children:
            await child.kill()
        await control.close()


def assert_never_two(telegram: LoopbackTelegram) -> None:
    errors = {call.error for call in telegram.calls}
    assert "AUTH_KEY_DUPLICATED" not in errors


@pytest.mark.parametrize("end", [Child.kill, Child.stop])
async def test_another_takes_the_accounts_and_nothing_is_lost(
    tmp_path: Path, end: Callable[[Child], Coroutine[Any, Any, object]]
) -> None:
    url = f"sqlite:///{tmp_path}/control.db"
    async with played(tmp_path, url) as (scene, telegram):
        one = await scene.child()
        await one.until(*(f"account {user} observes" for user in USERS))
        two = await scene.child()
        # Of three accounts one moves, and takes its channels with it.
        await two.until("account 70", "observes")
        await one.until("account 70", "; account 70")
        scene.post(2)
        ended = asyncio.create_task(end(one))
        scene.post(2)
        await ended
        scene.post(2)
        await two.until(*(f"account {user} observes" for user in USERS))
        scene.post(2)
        await scene.all_read(telegram)
        await two.stop()
        assert two.process.returncode == 0
        assert scene.posted <= await one.seen() | await two.seen()
        assert await scene.refused() == [None] * len(USERS)
        assert_never_two(telegram)


async def test_one_that_stood_still_goes_on_where_nobody_took_its_accounts(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/control.db"
    async with played(tmp_path, url) as (scene, telegram):
        one = await scene.child()
        await one.until(*(f"account {user} observes" for user in USERS))
        one.freeze()
        scene.post(2)
        while await scene.control.leases.held(ACCOUNT_LEASES):  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        one.thaw()
        await one.until(*(f"account {user} observes" for user in USERS))
        await scene.all_read(telegram)
        await one.stop()
        assert one.process.returncode == 0
        assert scene.posted <= await one.seen()
        assert_never_two(telegram)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    yield from postgres_started()


async def test_who_is_cut_off_from_the_store_stops_before_another_begins(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = await postgres.database()
    with Proxy(postgres.port) as network:
        async with played(tmp_path, url) as (scene, telegram):
            one = await scene.child(url.replace(str(postgres.port), str(network.port)))
            await one.until(*(f"account {user} observes" for user in USERS))
            two = await scene.child()
            await two.until("account 70", "observes")
            network.black_hole()
            scene.post(2)
            await two.until(*(f"account {user} observes" for user in USERS))
            # It has stopped, and says why.
            status, parts = await one.parts()
            assert status == 503
            assert "observes" not in parts["accounts"]
            assert "could not be renewed: the control store does not answer" in parts["accounts"]
            scene.post(2)
            network.resume()
            await one.until("account 70", "observes")
            scene.post(2)
            await scene.all_read(telegram)
            # Nor does one that is cut off take long to stop.
            network.black_hole()
            assert await one.stop() < STOP_S
            assert one.process.returncode == 0
            await two.stop()
            assert scene.posted <= await one.seen() | await two.seen()
            assert await scene.refused() == [None] * len(USERS)
            assert_never_two(telegram)


@pytest.mark.chaos
async def test_one_that_stood_still_leaves_what_another_took_and_does_not_end(
    tmp_path: Path, postgres: Postgres
) -> None:
    async with played(tmp_path, await postgres.database()) as (scene, telegram):
        one = await scene.child()
        await one.until(*(f"account {user} observes" for user in USERS))
        one.freeze()
        # Telegram ends a connection by which nothing comes.
        telegram.drop_connections()
        scene.post(2)
        two = await scene.child()
        await two.until(*(f"account {user} observes" for user in USERS))
        one.thaw()
        # Its share of them is soon its own again.
        await two.until("account 70", "; account 70")
        await one.until("account 70", "observes")
        scene.post(2)
        await scene.all_read(telegram)
        for child in (one, two):
            await child.stop()
            assert child.process.returncode == 0
        assert scene.posted <= await one.seen() | await two.seen()
        assert await scene.refused() == [None] * len(USERS)
        assert_never_two(telegram)


@pytest.mark.chaos
async def test_a_store_that_is_away_for_all_is_waited_for(
    tmp_path: Path, postgres: Postgres
) -> None:
    async with played(tmp_path, await postgres.database()) as (scene, telegram):
        one, two = await scene.child(), await scene.child()
        for child in (one, two):
            await child.until("observes")
        scene.post(2)
        await asyncio.to_thread(postgres.stop)
        for child in (one, two):
            await child.until("control store")
            # It has let all accounts go.
            while "account 70" in (await child.parts())[1]["accounts"]:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        calls = len(telegram.calls)
        scene.post(2)
        await asyncio.to_thread(postgres.start)
        for child in (one, two):
            await child.until("observes")
        assert len(telegram.calls) > calls
        await scene.all_read(telegram)
        for child in (one, two):
            await child.stop()
            assert child.process.returncode == 0
        assert scene.posted <= await one.seen() | await two.seen()
        assert_never_two(telegram)
