"""A cluster of real processes: every role on a real broker, PostgreSQL and loopback Telegram."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the stand-in for ClickHouse needs the extra `embedded`")

from tests.analyticbot.role import STOP_S
from tests.analyticbot.stage import staged
from tests.control.postgres import Postgres
from tests.control.postgres import started as postgres_started
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started

CHAT = 5


@pytest.fixture(scope="module")
def kafka() -> Iterator[Cluster]:
    """Of our own: the names of topics and groups are fixed in the product."""
    yield from started(Cluster())


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    yield from postgres_started()


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
        async with stage.posting(every_s=0.05):
            for role in (two, other_bot, other_work, serve, other_serve):
                assert await role.stop() < STOP_S
                assert role.process.returncode == 0
        assert "AUTH_KEY_DUPLICATED" not in {call.error for call in stage.telegram.calls}
