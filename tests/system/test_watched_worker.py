"""A worker on a real broker: traces go through it, and its metrics say what it has."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.app import build
from agents.engine import gauges
from agents.engine.worker import WorkerSettings
from agents.lag import tell_lag
from agents.pipeline import plan
from streams import topics
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from streams.log import Log, Record
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.tracing import TRACEPARENT, Traces, provider_of
from tests.faults.harness import stage
from tests.faults.sizes import PARTITIONS
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started
from tests.patience import PATIENCE_S

T = 1_760_000_040_000


@pytest.fixture
def broker() -> Iterator[Cluster]:
    yield from started(Cluster(1))


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  a counter has nothing to wait on
            await asyncio.sleep(0.01)


async def _windows(log: Log) -> list[Record]:
    found: list[Record] = []
    for partition in await log.partitions(topics.WINDOWS.name):
        found += await log.read(partition, 0, 100)
    return found


async def test_a_worker_on_kafka_is_watched(
    broker: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "EVERY_S", 0.05)
    exporter, metrics = InMemorySpanExporter(), Metrics()
    traces = Traces(provider_of(1.0, {}, [SimpleSpanProcessor(exporter)]))

    def told(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(f"analyticbot_{name}", labels) or 0

    async with stage(broker.url, tmp_path) as on:
        settings = WorkerSettings(
            broker=broker.url,
            partitions=PARTITIONS,
            group=on.group,
            tables=tmp_path / "tables",
        )
        app = build(settings, metrics, traces=traces)
        starting = asyncio.create_task(app.start())
        telling = asyncio.create_task(tell_lag(on.log, metrics, on.group, plan(), every_s=0.05))
        async with Publisher(on.log, metrics, traces=traces) as publisher:
            for channel in range(1, 9):
                await publisher.publish(
                    SubscribersSampled(
                        channel_id=ChannelId(channel), observed_at_ms=T, subscribers=5
                    )
                )
        await on.settled()
        await _until(lambda: told("table_rows", table="all") >= 8)
        assert told("tasks", state="active") == PARTITIONS
        assert told("table_bytes") > 0
        assert told("commit_seconds_count", stage="log") >= 1
        assert told("recovery_seconds_count") >= 1
        lag = {"stage": "updates", "topic": topics.UPDATES.name}
        every = [{**lag, "partition": str(number)} for number in range(PARTITIONS)]
        value = metrics.registry.get_sample_value
        await _until(lambda: [value("analyticbot_lag_messages", one) for one in every] == [0] * 4)
        windows = await _windows(on.log)
        telling.cancel()
        await app.stop()
        await asyncio.gather(starting, telling, return_exceptions=True)
    traces.close()
    assert len(windows) >= 8
    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    for window in windows:
        _, trace_id, span_id, _ = window.headers[TRACEPARENT].decode().split("-")
        way = []
        at = spans.get(int(span_id, 16))
        while at is not None:
            assert f"{at.context.trace_id:032x}" == trace_id
            way.append(at.name)
            at = spans.get(at.parent.span_id) if at.parent else None
        assert way == ["windows.send", "updates.fold", "log.publish"]
