"""The real Faust app on an embedded log of a test's own folder."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import faust

from agents.engine.building import built
from agents.engine.dead import DeadLimit
from agents.engine.decision import Decision
from agents.engine.worker import WorkerSettings
from agents.pipeline import INPUTS, PIPELINE, plan
from agents.updates.check import read_event
from streams import kinds, topics
from streams.analytics import Analytics
from streams.broadcasts import SettingChanged
from streams.clock import Clock, SystemClock
from streams.codec import decode_analytics, encode
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.events import Event
from streams.kinds import upsert_key
from streams.log import Draft, Log, Record
from streams.metrics import Metrics
from streams.recording import Recording
from streams.sources.recorded_events import events_of
from streams.topics import channel_key
from tests.agents.pure import Pure
from tests.patience import PATIENCE_S

PARTITIONS = 3
GROUP = "analyticbot"
RECORDING = Path(__file__).parents[2] / "loopback" / "recording"
#: Nothing here is about power cuts, and the disk is shared.
FAST = Settings(sync=False)


class Working:
    """A log and the app that works on it."""

    app: faust.App

    def __init__(self, log: EmbeddedLog, metrics: Metrics, reads: Sequence[str]) -> None:
        self.log = log
        self._reads = reads
        self.metrics = metrics
        self.errors: list[Exception] = []
        self._errors: asyncio.Queue[Exception] = asyncio.Queue()

    def fail(self, error: Exception) -> None:
        self.errors.append(error)
        self._errors.put_nowait(error)

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"analyticbot_{name}_total", labels) or 0

    async def settled(self) -> None:
        """Returns when all that is in the log has been processed and committed."""
        async with asyncio.timeout(PATIENCE_S):
            while not await is_settled(self.log, self._reads):
                assert not self.errors, self.errors
                await asyncio.sleep(0.01)

    async def failed(self) -> Exception:
        async with asyncio.timeout(PATIENCE_S):
            return await self._errors.get()


def read_by(pipeline: Sequence[Decision]) -> list[str]:
    """The topics that decisions read."""
    return [each.topic.name for each in plan(pipeline).inputs]


async def is_settled(log: EmbeddedLog, reads: Sequence[str] = tuple(read_by(PIPELINE))) -> bool:
    committed = await log.committed(GROUP)
    for topic in reads:
        for partition, bounds in (await log.bounds(topic)).items():
            if committed.get(partition, 0) < bounds.next:
                return False
    return True


@asynccontextmanager
async def working(
    folder: Path,
    *,
    limit: DeadLimit | None = None,
    query: str = "",
    clock: Clock | None = None,
    more: Sequence[Decision] = (),
    tick_s: float = 1.0,
    changes: Callable[[], AsyncGenerator[SettingChanged, None]] | None = None,
) -> AsyncIterator[Working]:
    """The app, started; stopped in order at the end. `more`: decisions beside the pipeline's."""
    log = await opened(folder, clock)
    metrics = Metrics()
    settings = WorkerSettings(
        broker=f"embedded://{folder}?sync=false{query}",
        partitions=PARTITIONS,
        dead_limit=limit or DeadLimit(),
        tick_s=tick_s,
    )
    pipeline = (*PIPELINE, *more)
    work = Working(log, metrics, read_by(pipeline))
    ports = (metrics, work.fail, clock or SystemClock(), None)
    work.app = app = built(pipeline, INPUTS, settings, *ports, changes, log)
    starting = asyncio.create_task(app.start())
    try:
        yield work
    finally:
        await app.stop()
        await asyncio.gather(starting, return_exceptions=True)
        await log.close()


async def opened(folder: Path, clock: Clock | None = None) -> EmbeddedLog:
    log = await EmbeddedLog.open(folder, FAST, clock)
    for topic in topics.ALL:
        await log.create(topic, PARTITIONS)
    return log


def recorded_events() -> list[Event]:
    """What the demo's recording stands for."""
    return list(events_of(Recording(RECORDING)))


def drafts_of(events: Sequence[Event]) -> list[Draft]:
    return [
        Draft(topics.UPDATES.name, channel_key(e.channel_id), encode(e), e.observed_at_ms)
        for e in events
    ]


async def append(log: Log, drafts: Sequence[Draft]) -> None:
    for start in range(0, len(drafts), 500):
        await log.append(drafts[start : start + 500])


async def records(log: Log, topic: str) -> list[Record]:
    """All that a topic holds, partition by partition."""
    found: list[Record] = []
    for partition, bounds in (await log.bounds(topic)).items():
        offset = bounds.first
        while offset < bounds.next:
            batch = await log.read(partition, offset, 1000)
            found += batch
            offset = batch[-1].offset + 1
    return found


async def upserts(log: EmbeddedLog) -> dict[str, Analytics]:
    """The newest of everything that was decided."""
    newest: dict[str, Analytics] = {}
    for topic in kinds.TOPICS:
        for record in await records(log, topic.name):
            assert record.value is not None
            message = decode_analytics(record.value)
            newest[upsert_key(message)] = message
    return newest


async def expected(log: EmbeddedLog) -> Pure:
    """What the pure steps make of the messages as they lie in the log."""
    pure = Pure()
    for record in await records(log, topics.UPDATES.name):
        assert record.value is not None
        pure.fold(read_event(record).event, record.offset)
    return pure


def rows(app: faust.App) -> dict[str, bytes]:
    """The rows of channels and posts, named as Pure.rows names them."""
    tables: dict[str, Callable[[bytes], str]] = {
        "channels": lambda key: f"channel {key.decode()}",
        "posts": lambda key: f"posts {key.decode()}",
    }
    return {
        name(key): value
        for table, name in tables.items()
        for key, value in app.tables[table].data.items()
    }
