"""One observation is one trace, from Telegram to the socket; off, nothing of it runs."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from websockets.asyncio.client import connect

from agents.app import build
from agents.engine.worker import WorkerSettings
from api import app as api_app
from api.live_feed import Live
from api.messages import Changes, Snapshot
from api.server import Server
from api.settings import Settings
from streams import topics, tracing
from streams.tracing import Traces, open_traces, provider_of
from tests.api.reading import FixedReader
from tests.api.serving import next_of
from tests.collect.conftest import Scene, history, scene, until

__all__ = ["scene"]  # a fixture
PARENTS = {
    "telegram.receive": None,
    "log.publish": "telegram.receive",
    "updates.fold": "log.publish",
    "windows.send": "updates.fold",
    "windows.fold": "windows.send",
    "live.fold": "windows.send",
    "frame.send": "live.fold",
}


@asynccontextmanager
async def _working(scene: Scene, folder: Path, traces: Traces | None) -> AsyncIterator[Server]:
    """Agents and API on the scene's log."""
    for topic in topics.ALL:
        await scene.log.create(topic, 1)
    settings = WorkerSettings(broker=f"embedded://{folder / 'log'}", partitions=1)
    agents = build(settings, scene.metrics, clock=scene.clock, traces=traces)
    live = Live(scene.log, scene.clock, scene.metrics, traces=traces)
    told = Settings(port=0)
    app = api_app.build(FixedReader(), live, scene.log, scene.clock, scene.metrics, told)
    server = Server(app, live, told, scene.metrics, scene.clock)
    starting = asyncio.create_task(agents.start())
    await live.start()
    await server.start()
    try:
        yield server
    finally:
        await scene.stop()
        await server.stop()
        await agents.stop()
        await asyncio.gather(starting, return_exceptions=True)


async def _shown(scene: Scene, server: Server) -> None:
    """Returns when a client was told of a post that was pushed."""
    channel = scene.channel(history=history(1))
    await scene.follow("news")
    scene.start()
    await scene.live(channel)
    url = server.url.replace("http", "ws", 1) + "/api/v1/live"
    async with connect(url) as socket:
        await next_of(socket, Snapshot)
        scene.world.post(channel, "traced")
        while True:
            frame = await next_of(socket, Changes)
            said = [upsert.value for upsert in frame.data]
            if any(2 in getattr(value, "post_ids", ()) for value in said):
                return


def _name_of_parent(span: ReadableSpan, spans: Sequence[ReadableSpan]) -> str | None:
    if span.parent is None:
        return None
    (parent,) = (s for s in spans if s.context.span_id == span.parent.span_id)
    return parent.name


async def test_one_update_is_one_trace_to_the_socket(scene: Scene, tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    provider = provider_of(1.0, {"role": "up"}, [SimpleSpanProcessor(exporter)])
    scene.traces = traces = Traces(provider)

    def finished() -> dict[int, list[ReadableSpan]]:
        found: dict[int, list[ReadableSpan]] = {}
        for span in exporter.get_finished_spans():
            found.setdefault(span.context.trace_id, []).append(span)
        return found

    def shown() -> list[list[ReadableSpan]]:
        """The traces that began with a push and came to an end."""
        ends = {"telegram.receive", "frame.send", "windows.fold"}
        return [t for t in finished().values() if ends <= {span.name for span in t}]

    async with _working(scene, tmp_path, traces) as server:
        await _shown(scene, server)
        await until(shown)
    (trace,) = shown()
    names = [span.name for span in trace]
    assert set(names) == set(PARENTS)
    assert {name: names.count(name) for name in ("telegram.receive", "log.publish")} == {
        "telegram.receive": 1,
        "log.publish": 1,
    }
    for span in trace:
        assert _name_of_parent(span, trace) == PARENTS[span.name]
        assert span.resource.attributes["role"] == "up"
    began = {span.name: span.start_time or 0 for span in reversed(trace)}
    order = [began[name] for name in PARENTS if name != "windows.fold"]
    assert order == sorted(order)
    traces.close()


async def test_a_share_of_nothing_traces_nothing(scene: Scene, tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    scene.traces = traces = Traces(provider_of(0.0, {}, [SimpleSpanProcessor(exporter)]))
    async with _working(scene, tmp_path, traces) as server:
        await _shown(scene, server)
    assert exporter.get_finished_spans() == ()
    traces.close()
    for partition in await scene.log.partitions(topics.WINDOWS.name):
        records = await scene.log.read(partition, 0, 1000)
        assert records
        assert not any(record.headers for record in records)


async def test_off_nothing_of_it_is_called(scene: Scene, tmp_path: Path) -> None:
    called: set[str] = set()

    def profile(frame: object, event: str, _argument: object) -> None:
        code = frame.f_code  # type: ignore[attr-defined]
        if event == "call" and code.co_filename == tracing.__file__:
            called.add(code.co_name)

    sys.setprofile(profile)
    try:
        async with _working(scene, tmp_path, None) as server:
            await _shown(scene, server)
    finally:
        sys.setprofile(None)
    assert called == set()
    assert scene.metrics.registry.get_sample_value(
        "analyticbot_received_total", {"stage": "updates"}
    )


def test_off_nothing_of_it_is_loaded() -> None:
    # Litestar looks for its plugin's library and finds a table of names; no more than that.
    program = (
        "import sys; from analyticbot.cli import main; "
        "code = main(['demo', '--port', '0', '--exit-after', '2']); "
        "kinds = ('opentelemetry.sdk', 'opentelemetry.trace', 'opentelemetry.exporter'); "
        "loaded = [name for name in sys.modules if name.startswith(kinds)]; "
        "sys.exit(code or ', '.join(loaded) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr


def test_a_collector_of_traces_that_is_away_holds_nobody_up() -> None:
    traces = open_traces("http://127.0.0.1:9/v1/traces", 1.0, {"role": "test"})
    span = traces.begin("telegram.receive")
    assert span is not None
    span.end()
    traces.close()


@pytest.mark.parametrize("header", [b"", b"00-nonsense", b"\xff\xfe", b"00-" + b"0" * 49 + b"-01"])
def test_a_header_that_is_none_begins_nothing_wrong(header: bytes) -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(provider_of(0.0, {}, [SimpleSpanProcessor(exporter)]))
    assert traces.follow("updates.fold", {"traceparent": header}) is None
    assert traces.within("windows.send") is None
    traces.close()
