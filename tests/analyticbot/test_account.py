"""A session that Telegram refuses is told on the page and tried again; nothing else stops."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from analyticbot.config import read_settings
from analyticbot.process import Process, started
from analyticbot.roles.collect import host_of
from analyticbot.stores import opened_control, opened_log
from collect.account import Application, Means
from collect.collecting import Collecting
from control.store import Account, ControlStore
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams import topics
from streams.clock import SystemClock
from streams.codec import decode_event
from streams.events import ChannelStatus, Event, PostsSeen
from streams.ids import ChannelId
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.publisher import Publisher
from tests.patience import PATIENCE_S

ANN, BEN = 777, 778


class Hurried(Collecting):
    """Waits for moments where the real one waits for minutes."""

    def _means(self, publisher: Publisher) -> Means:
        pauses = lambda: Pauses(first_s=0.05, longest_s=0.1)  # noqa: E731
        return super()._means(publisher)._replace(every_s=0.05, pauses=pauses)


class Scene:
    def __init__(self, process: Process, control: ControlStore, telegram: LoopbackTelegram) -> None:
        self.process = process
        self.control = control
        self.telegram = telegram
        self.collecting = Hurried(
            host_of(process), control, Application(telegram.api_id, telegram.api_hash), None
        )

    async def log_in(self, user_id: int) -> None:
        """What `analyticbot login` does."""
        session = self.telegram.session(user_id).save()
        await self.control.accounts.put(Account(user_id, session, user_id))

    def start(self) -> None:
        self.process.services.add("collector", self.collecting.run())

    async def told(self, wanted: Callable[[Event], bool]) -> Event:
        """The first observation, from the start on, that is wanted."""
        log = self.process.log
        start = dict.fromkeys(await log.partitions(topics.UPDATES.name), 0)
        async for batch in log.subscribe([topics.UPDATES.name], start):
            for record in batch.records:
                event = decode_event(record.value or b"")
                if wanted(event):
                    return event
        raise AssertionError("the log ended")

    async def says(self, words: str) -> None:
        while words not in (await self.collecting.check()).says:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def scene(folder: Path, world: World) -> AsyncIterator[Scene]:
    settings = read_settings({"ANALYTICBOT_DATA": str(folder)}, folder)
    async with (
        LoopbackTelegram(world, strict=False) as telegram,
        opened_control(settings) as control,
        opened_log(settings) as log,
        started(settings, log, world.clock, Metrics()) as process,
        asyncio.timeout(PATIENCE_S),
    ):
        yield Scene(process, control, telegram)


def is_refused(event: Event) -> bool:
    return isinstance(event, ChannelStatus) and event.status == "away" and "AUTH" in event.reason


def has_post(post_id: int, channel_id: ChannelId) -> Callable[[Event], bool]:
    return lambda event: (
        isinstance(event, PostsSeen)
        and event.channel_id == channel_id
        and post_id in [post.post_id for post in event.posts]
    )


@pytest.fixture
def world() -> World:
    world = World(SystemClock())
    for number in (1, 2):
        world.post(world.add_channel(ChannelId(1000 + number), f"channel{number}", "C"), "first")
    return world


async def test_a_refused_session_is_told_and_a_new_one_is_taken(
    tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path, world) as stage:
        await stage.control.follow("channel1", 1)
        await stage.log_in(ANN)
        stage.start()
        await stage.told(has_post(1, ChannelId(1001)))
        stage.telegram.revoke(ANN)
        # Asleep clients learn of it with their next call or push.
        stage.telegram.drop_connections()
        await stage.told(is_refused)
        await stage.says("account 777: Telegram refuses the session (AUTH_KEY_UNREGISTERED)")
        assert (await stage.collecting.check()).ready is False
        world.post(world.channels[ChannelId(1001)], "while nobody could look")
        await stage.log_in(ANN)
        await stage.told(has_post(2, ChannelId(1001)))
        await stage.says("account 777 observes 1 channels")
        assert [one.refused for one in await stage.control.accounts.all()] == [None]
    lost = [record for record in caplog.records if record.message == "telegram_account_lost"]
    assert len(lost) == 1


async def test_channels_of_a_refused_account_are_another_s(tmp_path: Path, world: World) -> None:
    async with scene(tmp_path, world) as stage:
        for name in ("channel1", "channel2"):
            await stage.control.follow(name, 1)
        for user in (ANN, BEN):
            await stage.log_in(user)
        stage.start()
        await stage.says("account 777 observes 1 channels; account 778 observes 1 channels")
        assert sorted((await stage.control.accounts.claims()).values()) == [ANN, BEN]
        stage.telegram.revoke(ANN)
        stage.telegram.drop_connections(ANN)
        await stage.says("account 778 observes 2 channels")
        for number in (1001, 1002):
            world.post(world.channels[ChannelId(number)], "second")
            await stage.told(has_post(2, ChannelId(number)))
        assert set((await stage.control.accounts.claims()).values()) == {BEN}


async def test_nobody_is_logged_in(tmp_path: Path, world: World) -> None:
    async with scene(tmp_path, world) as stage:
        await stage.control.follow("channel1", 1)
        stage.start()
        await stage.says("nobody is logged in to Telegram: run `analyticbot login`")
        await stage.log_in(ANN)
        await stage.says("account 777 observes 1 channels")
        await stage.told(has_post(1, ChannelId(1001)))


async def test_what_is_followed_and_unfollowed_later(tmp_path: Path, world: World) -> None:
    async with scene(tmp_path, world) as stage:
        await stage.log_in(ANN)
        stage.start()
        await stage.says("account 777 observes 0 channels")
        partitions = await stage.process.log.partitions(topics.CONTROL.name)
        reader = stage.process.log.subscribe([topics.CONTROL.name], dict.fromkeys(partitions, 0))
        await stage.control.follow("channel2", 1)
        await stage.told(has_post(1, ChannelId(1002)))
        announced = await anext(reader)
        assert announced.records[-1].key == b"channels"
        await stage.control.unfollow("channel2")
        await stage.says("account 777 observes 0 channels")
        assert await stage.control.accounts.claims() == {}


async def test_a_session_is_in_no_line_of_the_log(
    tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with scene(tmp_path, world) as stage:
        await stage.log_in(ANN)
        [account] = await stage.control.accounts.all()
        stage.start()
        await stage.says("account 777 observes 0 channels")
        stage.telegram.revoke(ANN)
        stage.telegram.drop_connections()
        await stage.says("refuses")
    assert "account_taken" in caplog.text
    assert account.session
    assert account.session not in caplog.text


async def test_an_account_whose_key_is_away_is_said_and_taken_when_it_is_back(
    tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    key, away = tmp_path / "secret.key", tmp_path / "away.key"
    async with scene(tmp_path, world) as stage:
        await stage.control.follow("channel1", 1)
        await stage.log_in(ANN)
    key.rename(away)
    async with scene(tmp_path, world) as stage:
        [account] = await stage.control.accounts.all()
        assert account.locked
        stage.start()
        await stage.says("account 777: its session is sealed by key")
        assert (await stage.collecting.check()).ready is False
        assert not key.exists()
        assert await stage.control.leases.held("") == []
        away.rename(key)
        while "sealed" in (await stage.collecting.check()).says:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert [one.locked for one in await stage.control.accounts.all()] == [None]
    assert len([one for one in caplog.records if one.message == "account_locked"]) == 1
