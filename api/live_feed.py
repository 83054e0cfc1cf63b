"""Feeds the live view from the log, and the hub from the live view.

At start it folds the last records that the log keeps, then follows. What changes is given to the
hub at once when little was sent lately, else together with what else changes in the next
moments, so that a burst costs a few frames and not a frame a message.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping

import msgspec

from api import cursor
from api.cursor import Position
from api.hub import Hub, Queued
from api.live_figures import LiveFigures
from api.live_log import follow, is_of_log
from api.live_view import LiveView, Wanted
from api.messages import Change, Figures, LiveData
from clickhouse.reader import Reader
from streams.clock import Clock
from streams.cursor_text import InvalidCursor
from streams.ids import ChannelId
from streams.intake import Intake
from streams.log import Batch, Bounds, Log, LogClosed, LogError, OffsetTooOld, Partition, Record
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.retry import Retry, Transient
from streams.tracing import Span, Traces

#: Records a partition that are folded at start.
LOOKBACK = 20_000
#: A client that missed more records than this gets a snapshot instead.
MISSED_AT_MOST = 20_000
#: Between two frames to the same clients in the long run; so many may follow without a pause.
FRAME_EVERY_S = 0.05
FRAMES_AT_ONCE = 4
#: Of so many frames that were sent, the way of one is measured.
MEASURED = 16
TICK_EVERY_S = 1.0
_PAGE = 1_000
_RETRY_FIRST_S = 0.25
_RETRY_AT_MOST_S = 10.0
_TRANSIENT: Transient = {LogClosed: None, OffsetTooOld: None, LogError: "log"}

_logger = logging.getLogger(__name__)


class Skipped(Exception):
    """What a client missed cannot be replayed; `reason` is one of those of messages.Gap."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Live:
    """The live view and its connections. `start` and `stop` once each, on one event loop."""

    def __init__(
        self,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        *,
        lookback: int = LOOKBACK,
        traces: Traces | None = None,
        reader: Reader | None = None,
        view: LiveView | None = None,
    ) -> None:
        self.view = view or LiveView()
        self.hub = Hub(metrics)
        #: Set while the server goes down, for those who wait for the log.
        self.stopping = asyncio.Event()
        self._log = log
        self._clock = clock
        self._metrics = metrics
        pauses = Pauses(_RETRY_FIRST_S, _RETRY_AT_MOST_S)
        self._retry = Retry(_TRANSIENT, _logger, pauses, count=(metrics, "live"))
        self._closed = False
        self._intake = Intake("live", metrics, self.view.kinds)
        self._lookback = lookback
        self._traces = traces
        self._figures = LiveFigures(self.view, reader)
        #: The last steps of traced observations that are in the view and not yet in a frame.
        self._spans: dict[ChannelId, list[Span]] = {}
        self._arrived = 0
        self._positions: dict[Partition, Position] = {}
        self._ends: dict[Partition, int] = {}
        self._caught_up = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next_frame_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether everything that was in the log at the start has been folded."""
        return self._caught_up.is_set() and not self.failure

    @property
    def failure(self) -> str:
        """Why the log cannot be followed now; empty while it can."""
        return "the log is closed" if self._closed else self._retry.trouble

    @property
    def cursor(self) -> str:
        """Stands after everything that is in the view now."""
        return cursor.encode(self._positions)

    @property
    def positions(self) -> Mapping[Partition, Position]:
        return self._positions

    async def start(self) -> None:
        await self._figures.count_posts(self._clock.now_ms())
        counting = self._figures.keep_counted(self._clock, self.hub.__len__)
        self._tasks = [asyncio.create_task(run) for run in (self._run(), self._tick(), counting)]

    async def wait_ready(self) -> None:
        await self._caught_up.wait()

    async def stop(self) -> None:
        """Ends the connections and the reading. The log stays open: it is the caller's."""
        self.stopping.set()
        self.hub.close(1001, "the server goes down")
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def before_snapshot(self) -> None:
        """Called for a new client, before it is in the hub. Takes a second at most."""
        await self._figures.count_late_posts(self._clock.now_ms())

    def snapshot(self, wanted: Wanted, now_ms: int) -> LiveData:
        """The present, of what is wanted: everything of named channels, a list of all of them."""
        view = self.view
        data = view.listed(now_ms) if wanted is None else view.everything(wanted)
        return msgspec.structs.replace(data, figures=self.figures(wanted, now_ms))

    def figures(self, wanted: Wanted, now_ms: int) -> list[Figures]:
        return [self._figures.of(view, now_ms) for view in self.view.wanted(wanted)]

    async def lag(self) -> int:
        """How many messages of the log are not in the view yet. Raises LogError."""
        topics, log = self.view.kinds.topic_names, self._log
        ends = {p: b.next for topic in topics for p, b in (await log.bounds(topic)).items()}
        lags = {p: ends[p] - at.next for p, at in self._positions.items() if p in ends}
        for partition, lag in lags.items():
            self._metrics.lag("live", partition, lag)
        return sum(lags.values())

    def arrived(self, frame: Queued) -> None:
        """Called when a client has been sent a frame; of some the way is measured."""
        for span in frame.spans:
            span.end()
        if frame.observed_at_ms is None:
            return
        if self._arrived % MEASURED == 0:
            way_ms = self._clock.now_ms() - frame.observed_at_ms
            self._metrics.arrived("socket", way_ms / 1000 / self._clock.speed)
        self._arrived += 1

    async def missed(self, text: str) -> list[Change]:
        """What changed between a client's cursor and now. Raises Skipped."""
        try:
            since = cursor.decode(text)
        except InvalidCursor as error:
            raise Skipped("cursor_unknown") from error
        until = dict(self._positions)
        if since.keys() != until.keys():
            raise Skipped("cursor_unknown")
        if sum(until[p].next - since[p].next for p in until) > MISSED_AT_MOST:
            raise Skipped("too_much_missed")
        view = LiveView(self.view.kinds)
        try:
            for partition, position in since.items():
                await self._replay(view, partition, position, until[partition].next)
        except OffsetTooOld as error:
            raise Skipped("cursor_too_old") from error
        return view.take_changes()

    async def _replay(
        self, view: LiveView, partition: Partition, since: Position, until: int
    ) -> None:
        if since.next > until or not await is_of_log(self._log, partition, since):
            raise Skipped("cursor_unknown")
        offset = since.next
        while offset < until:
            records = await self._log.read(partition, offset, min(_PAGE, until - offset))
            if not records:
                return
            self._fold(view, Batch(partition, [r for r in records if r.offset < until]))
            offset = records[-1].offset + 1

    async def _run(self) -> None:
        """Until the log is closed."""
        while not self._closed:
            try:
                await self._retry.call(self._follow)
            except LogClosed:
                self._closed = True
            except OffsetTooOld:
                self.hub.drop_all("log_trimmed")
                self._positions.clear()
                await asyncio.sleep(_RETRY_FIRST_S)

    async def _follow(self) -> None:
        if not self._positions:
            await self._begin()
        start = {partition: position.next for partition, position in self._positions.items()}
        self._check_caught_up()
        async with contextlib.aclosing(follow(self._log, start, self.view.kinds)) as batches:
            async for batch in batches:
                self._retry.succeeded()
                self._fold(self.view, batch)
                self._positions[batch.partition] = cursor.after(batch.records[-1])
                self._metrics.received("live", len(batch.records))
                self._check_caught_up()
                self._changed()
                # Much may be waiting in the log; others must get their turn meanwhile.
                await asyncio.sleep(0)

    async def _begin(self) -> None:
        for topic in self.view.kinds.topic_names:
            for partition, (first, after_last) in (await self._bounds(topic)).items():
                start = max(first, after_last - self._lookback)
                self._positions[partition] = Position(start)
                self._ends[partition] = after_last

    async def _bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        """Waits until the topic exists: who writes to it makes it."""
        while True:
            if bounds := await self._log.bounds(topic):
                return bounds
            await asyncio.sleep(_RETRY_FIRST_S)

    def _check_caught_up(self) -> None:
        at = self._positions
        if not self._caught_up.is_set() and all(at[p].next >= end for p, end in self._ends.items()):
            self._caught_up.set()

    def _fold(self, view: LiveView, batch: Batch) -> None:
        for record in batch.records:
            if record.value is None:
                continue
            # What a client missed was traced when it came.
            span = self._followed(record) if view is self.view else None
            message = self._intake.read(record.value)
            if message is None:
                continue
            view.fold(message)
            if span is not None:
                self._to_be_sent(span, message.channel_id)

    def _followed(self, record: Record) -> Span | None:
        if self._traces is None:
            return None
        return self._traces.follow("live.fold", record.headers, offset=record.offset)

    def _to_be_sent(self, folded: Span, channel_id: ChannelId) -> None:
        """From now until a frame has told of it."""
        folded.end()
        assert self._traces is not None
        if (span := self._traces.follow("frame.send", folded.headers)) is not None:
            self._spans.setdefault(channel_id, []).append(span)

    def _changed(self) -> None:
        loop = asyncio.get_running_loop()
        if not len(self.hub) or loop.time() >= self._next_frame_at:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_at(self._next_frame_at, self._flush)

    def _flush(self) -> None:
        self._timer = None
        if not len(self.hub):
            self.view.forget_changes()
            self._spans.clear()
            return
        earliest = asyncio.get_running_loop().time() - (FRAMES_AT_ONCE - 1) * FRAME_EVERY_S
        self._next_frame_at = max(self._next_frame_at, earliest) + FRAME_EVERY_S
        now_ms = self._clock.now_ms()
        changes = self.view.take_changes()
        changes += self._figures.changed({change.channel_id for change in changes}, now_ms)
        spans, self._spans = self._spans, {}
        if changes:
            self.hub.publish(changes, self.cursor, now_ms, spans)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_EVERY_S)
            now_ms = self._clock.now_ms()
            # Time has passed, or posts were counted.
            if len(self.hub) and (changes := self._figures.moved(now_ms)):
                self.hub.publish(changes, self.cursor, now_ms)
            self.hub.tick(now_ms)
            with contextlib.suppress(LogError):
                await self.lag()
