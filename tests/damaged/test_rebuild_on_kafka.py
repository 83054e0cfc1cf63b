"""Rebuilding history where the log is Kafka's: equal to the one before, never beside workers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.positions import TOPICS
from agents.history.writer import GROUP
from analyticbot.config import Settings, read_settings
from analyticbot.failure import Failure
from analyticbot.rebuilding import Rebuild
from streams import topics
from streams.kafka.log import KafkaLog
from streams.kafka.settings import settings_of
from tests.agents.history_told import minute_of_messages, stored
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.patience import PATIENCE_S
from tests.streams.kafka.prefixed import Prefixed


@pytest.fixture
async def log(kafka: Cluster | Running) -> AsyncIterator[Prefixed]:
    log = Prefixed(await KafkaLog.open(settings_of(kafka.url)), unique("rebuilt") + ".")
    for topic in topics.ALL:
        await log.create(topic, 2)
    for minute in range(4):
        await log.append(minute_of_messages(minute))
    yield log
    await log.close()


@pytest.fixture
def settings(kafka: Cluster | Running, tmp_path: Path) -> Settings:
    variables = {"ANALYTICBOT_DATA": str(tmp_path), "ANALYTICBOT_LOG": kafka.url}
    return read_settings(variables, tmp_path)


async def test_it_fills_what_it_put_aside_and_refuses_beside_workers(
    log: Prefixed, settings: Settings, tmp_path: Path
) -> None:
    before = None
    for when in ("first", "second"):
        rebuild = Rebuild(settings, log)  # type: ignore[arg-type]
        assert await rebuild.look()
        aside = await rebuild.begin(when)
        await rebuild.fill(lambda done, total: None)
        assert aside == (before and f"folder {tmp_path / 'history.aside-second'}")
        now = stored(tmp_path / "history")
        assert before is None or now == before
        before = now
    member = await log.join(GROUP, TOPICS)
    async with asyncio.timeout(PATIENCE_S):
        await member.assignment()
    with pytest.raises(Failure, match="stop every `analyticbot work`, then rebuild"):
        await Rebuild(settings, log).look()  # type: ignore[arg-type]
    await member.leave()
