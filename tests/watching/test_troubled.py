"""Real systems, brought into trouble: what their /metrics say makes the alerts fire."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from prometheus_client import generate_latest

from agents.history.settings import HistorySettings
from agents.history.writer import HistoryAgent
from agents.lag import tell_lag
from agents.pipeline import plan
from clickhouse.chdb import ChdbHistory
from clickhouse.history import HistoryUnavailable, Insert
from streams import topics
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from streams.log import Draft
from streams.metrics import Metrics
from streams.topics import channel_key
from tests.agents.working import GROUP, append, drafts_of, opened, working
from tests.api.reading import AwayReader
from tests.api.serving import Serving, open_log
from tests.patience import PATIENCE_S
from tests.watching.promtool import Case, check
from tests.watching.scraping import TARGET, series_of

T = 1_760_000_040_000
KEY = channel_key(ChannelId(42))


def _scraped(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  a counter has nothing to wait on
            await asyncio.sleep(0.005)


def _observations(count: int) -> list[Draft]:
    return drafts_of(
        [
            SubscribersSampled(channel_id=ChannelId(42), observed_at_ms=T + n, subscribers=n)
            for n in range(count)
        ]
    )


class Away(ChdbHistory):
    """A store that went away after its start."""

    async def insert(self, insert: Insert) -> None:
        raise HistoryUnavailable("no route to it")


async def test_history_is_away(tmp_path: Path) -> None:
    log, metrics = await opened(tmp_path / "log"), Metrics()
    history = await Away.open(tmp_path / "history")
    await history.migrate()
    settings = HistorySettings(batch_s=0.02, first_pause_s=0.01, longest_pause_s=0.02)
    running = asyncio.create_task(HistoryAgent(log, history, metrics, settings).run())

    def failures() -> float:
        labels = {"stage": "history", "kind": "history_unavailable"}
        return metrics.registry.get_sample_value("analyticbot_errors_total", labels) or 0

    scrapes: list[str] = []
    await append(log, _observations(3))
    for number in range(1, 11):
        await _until(lambda least=number: failures() >= least)
        scrapes.append(_scraped(metrics))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await history.close()
    await log.close()
    check([Case(series_of(scrapes), 4, [{"alertname": "HistoryAway"}], "HistoryAway")], tmp_path)


async def test_nobody_works(tmp_path: Path) -> None:
    """Messages, and no agents: whoever serves tells the partitions, nobody has their tasks."""
    log, metrics = await opened(tmp_path / "log"), Metrics()
    places = await log.append(_observations(3))
    telling = asyncio.create_task(tell_lag(log, metrics, GROUP, plan(), every_s=0.01))
    partition = str(places[0][0].number)
    labels = {"stage": "updates", "topic": topics.UPDATES.name, "partition": partition}
    value = metrics.registry.get_sample_value
    await _until(lambda: value("analyticbot_lag_messages", labels) == 3)
    await _until(lambda: value("analyticbot_lag_messages", {**labels, "stage": "history"}) == 3)
    telling.cancel()
    await log.close()
    stuck = [
        {"alertname": "PartitionStuck", **labels, "stage": stage}
        for stage in ("updates", "history")
    ]
    series = series_of([_scraped(metrics)], held=40)
    check(
        [
            Case(series, 14, stuck, "PartitionStuck"),
            Case(series, 14, [{"alertname": "TasksWithoutWorker"}], "TasksWithoutWorker"),
            Case(series, 14, [{"alertname": "NoAccountObserves"}], "NoAccountObserves"),
        ],
        tmp_path,
    )


async def test_a_source_writes_what_nobody_can_read(tmp_path: Path) -> None:
    scrapes: list[str] = []
    async with working(tmp_path / "log") as work:
        scrapes.append(_scraped(work.metrics))
        for _ in range(6):
            broken = Draft(topics.UPDATES.name, KEY, b"\xc1", T)
            await append(work.log, [*_observations(9), broken])
            await work.settled()
            scrapes.append(_scraped(work.metrics))
    dead = [{"alertname": "DeadLetters", "stage": "updates"}]
    check([Case(series_of(scrapes, held=15), 7, dead, "DeadLetters")], tmp_path)


async def test_requests_fail(tmp_path: Path) -> None:
    log = await open_log(tmp_path / "log")
    scrapes: list[str] = []
    async with Serving(log, AwayReader()) as serving:
        for _ in range(8):
            await serving.get("/api/v1/channels")
            scrapes.append((await serving.get("/metrics")).text)
    await log.close()
    failing = [{"alertname": "RequestsFail", "instance": TARGET["instance"]}]
    check([Case(series_of(scrapes, held=10), 7, failing, "RequestsFail")], tmp_path)


def test_a_healthy_demo_alarms_nobody(scrapes: Sequence[str], tmp_path: Path) -> None:
    check([Case(series_of(scrapes), 6, [])], tmp_path)
