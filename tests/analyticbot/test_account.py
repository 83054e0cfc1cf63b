"""A session that Telegram refuses is told on the page and tried again; nothing else stops."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from analyticbot.config import read_settings
from analyticbot.engine import Engine, running_engine
from analyticbot.stores import opened_control
from analyticbot.telegram import Account, collect
from streams import topics
from streams.analytics import Analytics, ChannelSummary, PostCounters
from streams.clock import SystemClock
from streams.codec import decode_analytics
from streams.ids import ChannelId
from streams.loopback.telegram import LoopbackTelegram
from streams.loopback.world.world import World
from streams.metrics import Metrics
from streams.pauses import Pauses

CHANNEL = ChannelId(1_900_000_001)
USER = 777


async def told(engine: Engine, wanted: Callable[[Analytics], bool]) -> Analytics:
    """The first message of analytics.windows, from its start on, that is wanted."""
    start = dict.fromkeys(await engine.log.partitions(topics.WINDOWS.name), 0)
    async for batch in engine.log.subscribe([topics.WINDOWS.name], start):
        for record in batch.records:
            message = decode_analytics(record.value or b"")
            if wanted(message):
                return message
    raise AssertionError("the log ended")


def is_refused(message: Analytics) -> bool:
    if not isinstance(message, ChannelSummary) or message.status != "away":
        return False
    return "AUTH_KEY" in message.status_reason


def has_post(post_id: int) -> Callable[[Analytics], bool]:
    return lambda message: isinstance(message, PostCounters) and post_id in message.post_ids


@pytest.mark.timeout(120)
async def test_a_refused_session_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = read_settings({"ANALYTICBOT_DATA": str(tmp_path)}, tmp_path)
    clock = SystemClock()
    world = World(clock)
    channel = world.add_channel(CHANNEL, "somebody", "Somebody")
    world.post(channel, "first")
    accounts: list[Account] = []
    async with (
        LoopbackTelegram(world, strict=False) as telegram,
        opened_control(settings) as control,
        running_engine(settings, clock, Metrics()) as engine,
    ):

        def account() -> Account:
            accounts.append((telegram.session(USER), telegram.api_id, telegram.api_hash))
            return accounts[-1]

        await control.follow("somebody", clock.now_ms())
        collect(engine, control, clock, account, pauses=Pauses(first_s=0.05, longest_s=0.1))
        async with asyncio.timeout(60):
            await told(engine, has_post(1))
            telegram.revoke(USER)
            # Asleep clients learn of it with their next call or push.
            telegram.drop_connections()
            await told(engine, is_refused)
            world.post(channel, "while nobody could look")
            await told(engine, has_post(2))
    assert len(accounts) >= 2
    lost = [record for record in caplog.records if record.message == "telegram_account_lost"]
    assert len(lost) == 1
