"""The feed goes on through what a log may do to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from api import live_feed
from api.live_feed import Live
from api.live_log import follow
from api.messages import Gap, Snapshot
from streams import kinds
from streams.embedded.log import EmbeddedLog
from streams.log import Batch, Log, LogError, Offsets, OffsetTooOld, Partition
from streams.metrics import Metrics
from streams.topics import WINDOWS
from tests.api.reading import FixedReader
from tests.api.serving import Serving, next_of, put, standing_clock, summary, until


class Troubled:
    """A log whose readers fail with the errors that are put here, one each."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.trouble = asyncio.Event()
        self.errors: list[Exception] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def fail(self, error: Exception) -> None:
        self.errors.append(error)
        self.trouble.set()

    async def subscribe(
        self, topics: Sequence[str], start: Offsets | None = None, *, max_records: int = 500
    ) -> AsyncIterator[Batch]:
        async with contextlib.aclosing(follow(self._log, start or {}, kinds.KINDS)) as batches:
            while True:
                batch = asyncio.create_task(anext(batches))
                trouble = asyncio.create_task(self.trouble.wait())
                try:
                    await asyncio.wait({batch, trouble}, return_when=asyncio.FIRST_COMPLETED)
                    if self.errors:
                        self.trouble.clear()
                        raise self.errors.pop()
                    yield batch.result()
                finally:
                    batch.cancel()
                    trouble.cancel()
                    await asyncio.gather(batch, trouble, return_exceptions=True)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_feed, "_RETRY_FIRST_S", 0.01)


async def test_waits_for_the_topics(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log")
    live = Live(log, standing_clock(), Metrics())
    await live.start()
    assert not live.ready
    for topic in kinds.TOPICS:
        await log.create(topic, 2)
    await live.wait_ready()
    await put(log, summary("One"))
    await until(lambda: live.view.channels)
    await live.stop()
    await log.close()


async def test_only_the_last_records_are_read_at_start(log: Log) -> None:
    await put(log, *(summary(f"{number}") for number in range(50)))
    metrics = Metrics()
    live = Live(log, standing_clock(), metrics, lookback=10)
    await live.start()
    await live.wait_ready()
    received = metrics.registry.get_sample_value("analyticbot_received_total", {"stage": "live"})
    assert received == 10
    assert await live.lag() == 0
    await live.stop()


async def test_a_log_that_is_away_is_waited_for(log: Log) -> None:
    troubled = Troubled(log)
    async with Serving(troubled, FixedReader()) as serving:  # type: ignore[arg-type]
        troubled.fail(LogError("no answer"))
        await until(lambda: serving.live.failure)
        await put(log, summary("Later"))
        await until(lambda: not serving.live.failure)
        assert serving.live.ready
        text = (await serving.get("/metrics")).text
    assert 'analyticbot_errors_total{kind="log_unavailable",stage="live"} 1.0' in text


async def test_what_retention_removed_is_a_gap_for_everybody(log: Log) -> None:
    troubled = Troubled(log)
    async with (
        Serving(troubled, FixedReader()) as serving,  # type: ignore[arg-type]
        serving.connect() as socket,
    ):
        await next_of(socket, Snapshot)
        troubled.fail(OffsetTooOld(Partition(WINDOWS.name, 0), 0, 5))
        gap = await next_of(socket, Gap)
        await next_of(socket, Snapshot)
    assert gap.reason == "log_trimmed"
