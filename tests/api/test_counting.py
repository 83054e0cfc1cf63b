"""The API's stages count the same four as every stage, after success, and the way to the socket."""

import contextlib
from collections.abc import AsyncIterator

from prometheus_client import CollectorRegistry

from api.messages import Changes, Snapshot
from streams.log import Draft, Log, LogError
from streams.topics import WINDOWS
from tests.api.reading import AwayReader, BrokenReader, FixedReader
from tests.api.serving import NOW_MS, Serving, next_of, put, summary, until
from tests.api.test_live_feed import Troubled
from tests.api.test_taps import events, take, window


def counted(registry: CollectorRegistry, stage: str) -> dict[str, float]:
    """What a stage has counted: received, sent, dropped/REASON, errors/KIND."""
    found: dict[str, float] = {}
    for family in registry.collect():
        for sample in family.samples:
            labels = dict(sample.labels)
            if labels.pop("stage", None) == stage and sample.name.endswith("_total"):
                name = sample.name.removeprefix("analyticbot_").removesuffix("_total")
                found["/".join((name, *labels.values()))] = sample.value
    return found


async def test_live_counts_the_four(log: Log) -> None:
    troubled = Troubled(log)
    async with (
        Serving(troubled, FixedReader()) as serving,  # type: ignore[arg-type]
        serving.connect() as socket,
    ):
        await next_of(socket, Snapshot)
        await put(log, summary("One", at_ms=NOW_MS - 3_000))
        await next_of(socket, Changes)
        await log.append([Draft(WINDOWS.name, b"1", b"\xc1", NOW_MS)])
        registry = serving.metrics.registry
        await until(lambda: counted(registry, "live").get("dropped/broken_bytes"))
        troubled.fail(LogError("no answer"))
        await until(lambda: serving.live.failure)
        assert counted(registry, "live") == {
            "received": 2,
            "sent": 1,
            "dropped/broken_bytes": 1,
            "errors/log_unavailable": 1,
        }
        way = {"to": "socket"}
        assert registry.get_sample_value("analyticbot_end_to_end_seconds_count", way) == 1
        assert registry.get_sample_value("analyticbot_end_to_end_seconds_sum", way) == 3


async def test_taps_count_the_four(log: Log) -> None:
    troubled = Troubled(log)
    async with Serving(troubled, FixedReader()) as serving:  # type: ignore[arg-type]
        # The feed is not to be the one that fails.
        await serving.live.wait_ready()
        async with events(serving, "?types=analyticbot.window.activity") as stream:
            await put(log, summary("Other type"), window(0, 1))
            await take(stream, 1)
            await log.append([Draft(WINDOWS.name, b"1", b"\xc1", NOW_MS)])
            registry = serving.metrics.registry
            await until(lambda: counted(registry, "taps").get("dropped/broken_bytes"))
            troubled.fail(LogError("no answer"))
            troubled.fail(LogError("no answer"))
            troubled.trouble.set()
            assert [event async for event in stream] == []
        assert counted(registry, "taps") == {
            "received": 3,
            "sent": 1,
            "dropped/broken_bytes": 1,
            "errors/LogError": 1,
        }


@contextlib.asynccontextmanager
async def _asked(log: Log, reader: FixedReader, *paths: str) -> AsyncIterator[dict[str, float]]:
    async with Serving(log, reader) as serving:
        for path in paths:
            await serving.get(path)
        yield counted(serving.metrics.registry, "api")


async def test_requests_count_the_four(log: Log) -> None:
    asked = ("/api/v1/channels", "/api/v1/channels/nobody", "/api/v1/channels?form=1", "/nowhere")
    async with _asked(log, FixedReader(), *asked) as found:
        assert found["received"] == found["sent"] == len(asked)
        assert found["dropped/channel-unknown"] == found["dropped/unknown-parameter"] == 1
    async with _asked(log, AwayReader(), "/api/v1/channels") as found:
        assert found == {"received": 1, "sent": 1, "errors/history_unavailable": 1}
    async with _asked(log, BrokenReader(), "/api/v1/channels") as found:
        assert found == {"received": 1, "sent": 1, "errors/RuntimeError": 1}
