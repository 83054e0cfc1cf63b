"""A whole API over a real embedded log and uvicorn, for tests."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from api.app import build
from api.followed import FollowedChannels
from api.live_feed import Live
from api.live_view import LiveView
from api.messages import LiveMessage
from api.server import Server
from api.settings import Settings
from clickhouse.reader import Reader
from control.store import ControlStore
from streams import kinds
from streams.analytics import ChannelSummary
from streams.analytics import Decision as Message
from streams.clock import SpeededClock
from streams.codec import encode
from streams.embedded.log import EmbeddedLog
from streams.ids import ChannelId
from streams.known import Kinds
from streams.log import Draft, Log
from streams.metrics import Metrics
from streams.topics import channel_key
from tests.patience import PATIENCE_S

#: 2026-03-01T12:00:00Z, and it stands.
NOW_MS = 1_772_366_400_000
CHANNEL = ChannelId(1_234)
OTHER = ChannelId(5_678)

_frames: msgspec.json.Decoder[LiveMessage] = msgspec.json.Decoder(LiveMessage)


def standing_clock() -> SpeededClock:
    return SpeededClock(NOW_MS, 1.0, monotonic=lambda: 0.0)


async def open_log(folder: Path, known: Kinds = kinds.KINDS) -> Log:
    log = await EmbeddedLog.open(folder, clock=standing_clock())
    for topic in known.topics:
        await log.create(topic, 2)
    return log


async def put(log: Log, *messages: Message, known: Kinds = kinds.KINDS) -> None:
    await log.append(
        [
            Draft(
                known.of[type(message)].topic.name,
                channel_key(message.channel_id),
                encode(message),
                message.observed_at_ms,
            )
            for message in messages
        ]
    )


def summary(
    title: str, channel: ChannelId = CHANNEL, at_ms: int = NOW_MS, username: str = "durov"
) -> ChannelSummary:
    return ChannelSummary(
        channel_id=channel, observed_at_ms=at_ms, title=title, username=username, subscribers=10
    )


def frame(text: str | bytes) -> LiveMessage:
    return _frames.decode(text)


async def next_of(socket: ClientConnection, *kinds: type[Any]) -> Any:
    """The next frame of one of these kinds."""
    while True:
        message = frame(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        if isinstance(message, kinds):
            return message


class Serving:
    """`async with Serving(log, reader) as serving`."""

    def __init__(
        self,
        log: Log,
        reader: Reader,
        settings: Settings | None = None,
        control: ControlStore | None = None,
        known: Kinds = kinds.KINDS,
    ) -> None:
        self.log = log
        self.metrics = Metrics()
        self.clock = standing_clock()
        self.settings = settings or Settings(port=0)
        view = LiveView(known)
        self.live = Live(log, self.clock, self.metrics, reader=reader, view=view)
        app = build(
            reader,
            self.live,
            log,
            self.clock,
            self.metrics,
            self.settings,
            followed=FollowedChannels(control),
            kinds=known,
        )
        self.app = app
        self.server = Server(app, self.live, self.settings, self.metrics, self.clock)

    async def __aenter__(self) -> "Serving":
        await self.live.start()
        await self.live.wait_ready()
        await self.server.start()
        self.http = httpx.AsyncClient(base_url=self.server.url, timeout=PATIENCE_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.server.stop()

    def connect(self, query: str = "", **options: Any) -> connect:
        url = self.server.url.replace("http", "ws", 1) + "/api/v1/live" + query
        return connect(url, **options)

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.http.get(path, headers=headers)


async def until(condition: Any) -> None:
    """Waits for a condition that other tasks make true."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def titles(messages: Sequence[Any]) -> list[str | None]:
    return [m.title for m in messages if isinstance(m, ChannelSummary)]
