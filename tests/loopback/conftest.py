"""A world with one channel, its server, and clients of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient, events

from loopback.telegram import LoopbackTelegram
from loopback.world.channel import WorldChannel
from loopback.world.world import World
from streams.clock import SystemClock
from tests.patience import PATIENCE_S

USER = 777


class Stage:
    """What a test plays with: a world, its channel ``news``, the server, clients."""

    def __init__(self, telegram: LoopbackTelegram, channel: WorldChannel) -> None:
        self.telegram = telegram
        self.world = telegram.world
        self.channel = channel
        self.account = self.world.add_account(USER)
        self.world.join(self.account, channel)
        self._clients: list[TelegramClient] = []

    def client(self, session: Any = None, **options: Any) -> TelegramClient:
        """Signed in already unless `session` is given; disconnected when the test ends."""
        telegram = self.telegram
        session = session or telegram.session(USER)
        options = {"flood_sleep_threshold": 0, "retry_delay": 0, **options}
        client = TelegramClient(session, telegram.api_id, telegram.api_hash, **options)
        self._clients.append(client)
        return client

    async def connected(self, session: Any = None, **options: Any) -> TelegramClient:
        client = self.client(session, **options)
        await client.connect()
        return client

    async def close(self) -> None:
        for client in self._clients:
            if client.is_connected():
                await client.disconnect()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """`tmp_path`, because clients that keep their sessions there are closed here."""
    world = World(SystemClock())
    channel = world.add_channel(1001, "news", "News", subscribers=4321)
    async with LoopbackTelegram(world) as telegram:
        stage = Stage(telegram, channel)
        yield stage
        await stage.close()


def collect(client: TelegramClient) -> list[Any]:
    """Every raw update of known kind that the client's handlers get from now on."""
    got: list[Any] = []

    async def take(update: Any) -> None:
        if type(update).__name__ != "Updates":
            got.append(update)

    client.add_event_handler(take, events.Raw())
    return got


async def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Waits until the condition holds; fails the test after a while."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)
