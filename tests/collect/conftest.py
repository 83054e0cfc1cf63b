"""The collector before a loopback Telegram, with a real log and a real control store."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from collect import Collector, CollectorSettings, client_factory
from control.sql import SqlControl, open_control
from loopback.telegram import LoopbackTelegram
from loopback.world.channel import WorldChannel, WorldPost
from loopback.world.counters import Counters, FixedCounters
from loopback.world.world import World
from streams.clock import Clock
from streams.codec import decode_event
from streams.embedded.log import EmbeddedLog
from streams.events import (
    ChannelStatus,
    CountersSampled,
    Event,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
)
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.sources.cursors import Followed
from streams.topics import UPDATES
from streams.tracing import Traces
from streams.units import HOUR_MS
from tests.patience import PATIENCE_S
from tests.streams.sources.manual_clock import ManualClock

USER = 777
#: 2025-01-01
START_MS = 1_735_689_600_000

E = TypeVar("E", bound=Event)


async def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Waits until the condition holds; fails the test after a while."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.003)


def history(count: int, *, every_ms: int = HOUR_MS, first_id: int = 1) -> list[WorldPost]:
    """Posts up to one `every_ms` before the start."""
    return [
        WorldPost(
            first_id + n,
            START_MS - (count - n) * every_ms,
            f"post {first_id + n}",
            FixedCounters(Counters(views=10 * (first_id + n), forwards=first_id + n)),
        )
        for n in range(count)
    ]


class Scene:
    """A collector on a stage. What it published is read back from the log."""

    def __init__(
        self,
        telegram: LoopbackTelegram,
        clock: ManualClock,
        log: EmbeddedLog,
        control: SqlControl,
    ) -> None:
        self.telegram = telegram
        self.world = telegram.world
        self.clock = clock
        #: The collector's: as the world's, unless a test puts a wrong one here.
        self.machine: Clock = clock
        self.log = log
        self.control = control
        self.metrics = Metrics()
        self.traces: Traces | None = None
        self.session = telegram.session(USER)
        self.events: list[Event] = []
        self.collector: Collector | None = None
        self.running: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[Any]] = [asyncio.create_task(self._read())]

    def channel(self, channel_id: int = 1001, name: str = "news", **fields: Any) -> WorldChannel:
        return self.world.add_channel(channel_id, name, name.title(), subscribers=42, **fields)

    async def follow(self, *references: str) -> None:
        for reference in references:
            await self.control.follow(reference, self.clock.now_ms())

    def start(self, **settings: Any) -> Collector:
        """A new collector, as after a start of the process."""
        settings = {"first_pause_s": 0.02, "longest_pause_s": 0.2, **settings}
        publisher = Publisher(self.log, self.metrics, traces=self.traces)
        telegram = self.telegram
        self.collector = Collector(
            client_factory(self.session, telegram.api_id, telegram.api_hash),
            publisher,
            self.control,
            self.machine,
            self.metrics,
            CollectorSettings(**settings),
        )
        collector = self.collector

        async def run() -> None:
            async with publisher:
                await collector.run()

        self.running = asyncio.create_task(run())
        return collector

    async def stop(self) -> None:
        """As a kill: nothing is finished."""
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None

    async def live(self, *channels: WorldChannel, times: int = 1) -> None:
        """Waits until each channel was said to be live that often."""
        for channel in channels:
            await until(lambda one=channel: self.statuses(one).count("live") >= times)

    def of(self, kind: type[E], channel: WorldChannel | None = None) -> list[E]:
        return [
            event
            for event in self.events
            if type(event) is kind and channel in (None, self.world.channels[event.channel_id])
        ]

    async def pass_until(self, condition: Callable[[], object], step_ms: int = 1000) -> None:
        """Lets time pass, step by step, until the condition holds: for what comes at a pace."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            self.clock.advance(step_ms)
            await asyncio.sleep(0.003)

    def asked(self, method: str) -> list[Any]:
        """The requests of a method, in their order."""
        return [call.request for call in self.telegram.calls.of(method)]

    async def standing(self, reference: str) -> Followed:
        """As the control store has it."""
        return next(one for one in await self.control.followed() if one.reference == reference)

    async def stands(self, reference: str, status: str) -> Followed:
        """Waits until a followed channel is said to be so."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := await self.standing(reference)).status != status:
            assert time.monotonic() < deadline, f"waited in vain: {found}"
            await asyncio.sleep(0.003)
        return found

    def statuses(self, channel: WorldChannel) -> list[str]:
        return [event.status for event in self.of(ChannelStatus, channel)]

    def seen(self, channel: WorldChannel) -> dict[int, str]:
        """Every post in the log with its newest text, deleted ones left out."""
        texts: dict[int, str] = {}
        for event in self.events:
            if event.channel_id != channel.channel_id:
                continue
            if isinstance(event, PostsSeen | PostsEdited):
                texts.update((post.post_id, post.text) for post in event.posts)
            elif isinstance(event, PostsDeleted):
                for post_id in event.post_ids:
                    texts.pop(post_id, None)
        return texts

    def sampled(self, channel: WorldChannel) -> list[int]:
        """The posts of all samples, in their order."""
        return [i for event in self.of(CountersSampled, channel) for i in event.post_ids]

    async def _read(self) -> None:
        async for batch in self.log.subscribe([UPDATES.name], {}):
            self.events += [decode_event(record.value or b"") for record in batch.records]

    async def close(self) -> None:
        await self.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = ManualClock(START_MS)
    log = await EmbeddedLog.open(tmp_path / "log")
    await log.create(UPDATES, 1)
    control = open_control(f"sqlite:///{tmp_path / 'control.db'}")
    await control.migrate()
    async with LoopbackTelegram(World(clock)) as telegram:
        scene = Scene(telegram, clock, log, control)
        yield scene
        await scene.close()
    # A test may have put another in its place, on the same database, with calls under way.
    await scene.control.close()
    await log.close()
