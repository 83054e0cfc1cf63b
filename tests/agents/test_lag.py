import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client.samples import Sample

from agents.lag import tell_lag
from agents.pipeline import plan
from streams import topics
from streams.log import Draft, Log, LogUnavailable, Partition
from streams.metrics import Metrics
from streams.topics import channel_key
from tests.agents.pure import CHANNEL
from tests.agents.working import GROUP, append, opened
from tests.patience import PATIENCE_S

KEY = channel_key(CHANNEL)


def _lag(metrics: Metrics, stage: str) -> float | None:
    """Of all partitions; None when it is not told."""
    told = [s for s in _samples(metrics) if s.labels["stage"] == stage]
    return sum(sample.value for sample in told) if told else None


def _samples(metrics: Metrics) -> list[Sample]:
    families = metrics.registry.collect()
    return [s for f in families for s in f.samples if s.name == "analyticbot_lag_messages"]


async def _until(metrics: Metrics, **lags: float) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while any(_lag(metrics, stage) != lag for stage, lag in lags.items()):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _telling(log: Log, metrics: Metrics) -> AsyncIterator[None]:
    task = asyncio.create_task(tell_lag(log, metrics, GROUP, plan(), every_s=0.005))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_agent_is_behind_by_what_it_has_not_committed(tmp_path: Path) -> None:
    log, metrics = await opened(tmp_path), Metrics()
    sent = [Draft(topics.UPDATES.name, KEY, b"1", 1)] * 3
    places = await log.append([*sent, *[Draft(topics.WINDOWS.name, KEY, b"1", 1)] * 2])
    ends: dict[Partition, int] = {partition: offset + 1 for partition, offset in places}
    async with _telling(log, metrics):
        await _until(metrics, updates=3, windows=2, history=5)
        await log.commit(GROUP, {p: end - 1 for p, end in ends.items()})
        await _until(metrics, updates=1, windows=1, history=5)
        await log.commit("history", ends)
        await _until(metrics, updates=1, windows=1, history=0)
        await append(log, sent)
        await _until(metrics, updates=4, windows=1, history=3)
    lags = {tuple(s.labels.values()): s.value for s in _samples(metrics)}
    at = str(places[0][0].number)
    assert lags["updates", topics.UPDATES.name, at] == 4
    assert sum(lag for (stage, *_), lag in lags.items() if stage == "updates") == 4
    await log.close()


class _Away:
    """A log that cannot be reached for now."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.bounds = log.bounds
        self.asked = 0

    async def committed(self, group: str) -> object:
        self.asked += 1
        if self.asked < 3:
            raise LogUnavailable("away")
        return await self._log.committed(group)


async def test_a_log_that_is_away_is_asked_again(tmp_path: Path) -> None:
    log, metrics = await opened(tmp_path), Metrics()
    async with _telling(_Away(log), metrics):  # type: ignore[arg-type]
        await _until(metrics, updates=0, windows=0, history=0)
    await log.close()
