"""A cluster of real roles while a store is away for minutes: who does not need it goes on, who does
waits and says why, and afterwards nothing is missing.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the stand-in for ClickHouse needs the extra `embedded`")

from streams.topics import AGENTS
from tests.analyticbot.role import POLL_S, Role
from tests.analyticbot.stage import CHANNELS, Stage, staged
from tests.control.postgres import Postgres
from tests.control.postgres import started as postgres_started
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

AWAY_S = 120.0
CHAT = 5
ROLES = ("work", "serve", "collect", "collect", "bot")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Of one test: the names of topics and groups are fixed in the product."""
    yield from started(Cluster())


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    yield from postgres_started()


async def whole(stage: Stage, serve: Role) -> None:
    """What is published last is served, and everything before it is in the log and in history."""
    stage.post("last")
    await stage.served(serve, "last")
    assert await stage.missed() == set()
    await stage.check_history()
    assert "AUTH_KEY_DUPLICATED" not in {call.error for call in stage.telegram.calls}


async def test_the_control_store_is_away(
    tmp_path: Path, cluster: Cluster, postgres: Postgres
) -> None:
    async with staged(tmp_path, cluster, postgres) as stage:
        work, serve, one, two, bot = [await stage.start(name) for name in ROLES]
        stage.post("first")
        await stage.served(serve, "first")
        await asyncio.gather(*(each.says("accounts", "observes") for each in (one, two)))
        async with stage.posting(every_s=0.5):
            await asyncio.to_thread(postgres.stop, "immediate")
            # Leases that cannot be renewed are let go: others could have them.
            await asyncio.gather(
                *(each.says("accounts", "control store") for each in (one, two)),
                bot.says("bot", "control store"),
            )
            for each in (one, two):
                while "account 80" in (await each.parts())[1]["accounts"]:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
            asked = len(stage.telegram.calls)
            deadline_s = time.monotonic() + AWAY_S
            while time.monotonic() < deadline_s:
                for each, status in ((work, 200), (serve, 200), (one, 503), (two, 503), (bot, 503)):
                    assert (await each.parts())[0] == status
                assert await serve.data(f"/api/v1/channels/{CHANNELS[0]}/posts")
                await asyncio.sleep(POLL_S)
            assert len(stage.telegram.calls) == asked
            await asyncio.to_thread(postgres.start)
            await asyncio.gather(*(each.says("accounts", "observes") for each in (one, two)))
            await bot.says("bot", "answers")
        stage.bot_api.message(CHAT, "/start")
        await stage.bot_api.sent_to(CHAT, 1)
        await whole(stage, serve)


async def test_history_is_away(tmp_path: Path, cluster: Cluster, postgres: Postgres) -> None:
    async with staged(tmp_path, cluster, postgres) as stage:
        work, serve, collect, _, bot = [await stage.start(name) for name in ROLES]
        stage.post("first")
        await stage.served(serve, "first")
        async with stage.posting(every_s=0.5):
            await asyncio.to_thread(stage.history.kill)
            await asyncio.gather(*(each.says("history", "127.0.0.1") for each in (work, serve)))
            deadline_s = time.monotonic() + AWAY_S
            while time.monotonic() < deadline_s:
                done = sum((await stage.log.committed(AGENTS)).values())
                for each, status in ((work, 503), (serve, 200), (collect, 200), (bot, 200)):
                    assert (await each.parts())[0] == status
                assert (await serve.http.get("/api/v1/channels")).status_code == 503
                while sum((await stage.log.committed(AGENTS)).values()) == done:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
            await asyncio.to_thread(stage.history.start)
            await asyncio.gather(*(each.says("history", "ok") for each in (work, serve)))
        await whole(stage, serve)
