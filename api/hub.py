"""The connections of the live socket: every frame is encoded once, nobody is waited for.

A connection has a bounded queue and a task of its own that empties it. One that reads too slowly
loses its backlog and is told so (`Gap`), then gets a snapshot of the present; the others notice
nothing. All calls are made from one event loop; none of them waits.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from api.live_view import Wanted
from api.messages import Change, Figures, Tick, key_of
from streams.ids import ChannelId
from streams.metrics import Metrics
from streams.tracing import Span

#: Frames that a connection may lag behind, and their bytes together.
BACKLOG_FRAMES = 64
BACKLOG_BYTES = 4_000_000

_encoder = msgspec.json.Encoder()


class _Upsert(msgspec.Struct, frozen=True):
    key: str
    value: Change


class _Changes(msgspec.Struct, frozen=True, tag_field="type", tag="changes"):
    now_ms: int
    cursor: str
    data: Sequence[msgspec.Raw]


def text(message: msgspec.Struct) -> str:
    return _encoder.encode(message).decode()


def changes_text(changes: Sequence[Change], cursor: str, now_ms: int) -> str:
    return text(_Changes(now_ms, cursor, [_upsert(change) for change in changes]))


def _upsert(change: Change) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(_Upsert(key_of(change), change)))


class Queued(NamedTuple):
    """A frame that waits for its turn at one client."""

    text: str
    cursor: str | None = None
    #: When the newest of what it says was observed; None where it says nothing new.
    observed_at_ms: int | None = None
    #: The steps of traced observations that end when it is sent.
    spans: Sequence[Span] = ()


class Connection:
    """One client's queue. `gap` is why its backlog was dropped, until it has been told."""

    def __init__(self, wanted: Wanted, cursor: str | None = None) -> None:
        self.wanted = wanted
        #: Set while there is something to send.
        self.ready = asyncio.Event()
        #: Set once the server ends this connection.
        self.ended = asyncio.Event()
        self.gap: str | None = None
        #: Code and reason for which the server ends this connection.
        self.closing: tuple[int, str] | None = None
        #: The cursor of the last frame that was taken out to be sent.
        self.cursor = cursor
        self._frames: deque[Queued] = deque()
        self._bytes = 0

    @property
    def queued(self) -> int:
        return len(self._frames)

    @property
    def idle(self) -> bool:
        return not self._frames and self.gap is None

    def put(self, frame: Queued) -> int:
        """How many frames were dropped, because the client is too slow to be given more."""
        if self.gap is not None:
            return 1
        size = len(frame.text)
        full = len(self._frames) >= BACKLOG_FRAMES or self._bytes + size > BACKLOG_BYTES
        # A frame that is larger than the whole backlog still passes when it is the only one.
        if full and self._frames:
            dropped = len(self._frames) + 1
            self.drop("slow_client")
            return dropped
        self._frames.append(frame)
        self._bytes += size
        self.ready.set()
        return 0

    def drop(self, reason: str) -> None:
        """Forget the backlog; the client will be told and gets a snapshot."""
        self._frames.clear()
        self._bytes = 0
        self.gap = reason
        self.ready.set()

    def take(self) -> Queued | None:
        """The next frame to send; None when there is none."""
        if not self._frames:
            self.ready.clear()
            return None
        frame = self._frames.popleft()
        self._bytes -= len(frame.text)
        self.cursor = frame.cursor or self.cursor
        return frame

    def restart(self) -> None:
        """The client is being told of the gap: queue again from here on."""
        self._frames.clear()
        self._bytes = 0
        self.gap = None

    def close(self, code: int, reason: str) -> None:
        self.closing = (code, reason)
        self.ended.set()


def _taken(spans: dict[ChannelId, Sequence[Span]], wanted: Wanted) -> list[Span]:
    """Those of the channels that are wanted; they are taken out."""
    channels = [channel for channel in spans if wanted is None or channel in wanted]
    return [span for channel in channels for span in spans.pop(channel)]


class Hub:
    """All connections of this process."""

    def __init__(self, metrics: Metrics) -> None:
        self._connections: set[Connection] = set()
        self._metrics = metrics
        self._quiet = True

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def connections(self) -> frozenset[Connection]:
        return frozenset(self._connections)

    def add(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._metrics.gauge("analyticbot_live_connections", len(self._connections))

    def remove(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._metrics.gauge("analyticbot_live_connections", len(self._connections))

    def publish(
        self,
        changes: Sequence[Change],
        cursor: str,
        now_ms: int,
        spans: Mapping[ChannelId, Sequence[Span]] = {},
    ) -> None:
        """Queue one frame for everybody who wants any of the changes.

        `spans` go with the first frame that says something of their channel.
        """
        encoded = [(change.channel_id, _upsert(change)) for change in changes]
        observed_at_ms = max(
            (c.observed_at_ms for c in changes if not isinstance(c, Figures)), default=None
        )
        frames: dict[Wanted, Queued | None] = {}
        left = dict(spans)
        for connection in self._connections:
            wanted = connection.wanted
            if wanted not in frames:
                data = [raw for channel, raw in encoded if wanted is None or channel in wanted]
                said = text(_Changes(now_ms, cursor, data)) if data else None
                frames[wanted] = None if said is None else Queued(said, cursor, observed_at_ms)
            frame = frames[wanted]
            if frame is None:
                continue
            if left:
                frame = frame._replace(spans=_taken(left, wanted))
            if dropped := connection.put(frame):
                self._metrics.dropped("live", "slow_client", dropped)
        self._quiet = False
        self._metrics.sent("live", sum(frame is not None for frame in frames.values()))

    def drop_all(self, reason: str) -> None:
        for connection in self._connections:
            connection.drop(reason)

    def tick(self, now_ms: int) -> None:
        """Called about once a second: tells those who have nothing queued that time passes."""
        quiet, self._quiet = self._quiet, True
        frame = Queued(text(Tick(now_ms=now_ms)))
        for connection in self._connections:
            if connection.idle and (quiet or connection.wanted is not None):
                connection.put(frame)

    def close(self, code: int, reason: str) -> None:
        """End every connection; each handler sends its close frame."""
        for connection in self._connections:
            connection.close(code, reason)
