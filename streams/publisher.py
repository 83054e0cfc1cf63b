"""Publishes events to the log: encoded, keyed by channel, batched, acknowledged.

Not a durable buffer: events are in the log only once `publish` has returned, and sources publish
them again otherwise (sources store their position only after the acknowledgement).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from streams.codec import encode
from streams.events import Event, samples_of
from streams.log import Draft, Log, LogClosed, LogUnavailable
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.retry import Retry
from streams.topics import UPDATES, channel_key
from streams.tracing import TRACEPARENT, Traces

logger = logging.getLogger(__name__)

#: Messages accepted and not yet acknowledged; above that `publish` waits.
MOST_WAITING = 2000
#: Messages in one append.
MOST_IN_A_BATCH = 500


class _Parcel(NamedTuple):
    drafts: Sequence[Draft]
    done: asyncio.Future[None]


class Publisher:
    """One writer to `telegram.updates`, shared by all sources of a process. An async context.

    Concurrent publishers share an append, so many small publications cost one acknowledgement.
    While the log is unavailable it retries with growing pauses, without end; `publish` raises any
    other LogError, now and from then on.
    """

    def __init__(
        self,
        log: Log,
        metrics: Metrics,
        *,
        pauses: Pauses | None = None,
        most_waiting: int = MOST_WAITING,
        traces: Traces | None = None,
    ) -> None:
        self.traces = traces
        self._log = log
        self._metrics = metrics
        self._retry = Retry({LogUnavailable: "log"}, logger, pauses, count=(metrics, "collector"))
        self._most_waiting = most_waiting
        self._parcels: deque[_Parcel] = deque()
        self._waiting = 0
        self._changed = asyncio.Condition()
        self._failure: BaseException | None = None
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write(), name="publisher")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops at once. Callers that wait for an acknowledgement get LogClosed."""
        assert self._writer is not None
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """Messages accepted and not yet acknowledged."""
        return self._waiting

    async def publish(
        self, *events: Event, headers: Sequence[Mapping[str, bytes]] | None = None
    ) -> None:
        """Returns when all are durable, in this order. Waits while too many are unacknowledged.

        `headers`: one mapping per event. Raises LogError if the log refuses them. If cancelled, the
        events may or may not be published.
        """
        sets: Sequence[Mapping[str, bytes]] = [{}] * len(events) if headers is None else headers
        if self.traces is not None:
            await self._publish_traced(self.traces, events, sets)
        else:
            await self._publish_all(events, sets)

    async def _publish_traced(
        self, traces: Traces, events: Sequence[Event], sets: Sequence[Mapping[str, bytes]]
    ) -> None:
        """Each step goes on from its headers; without any, a trace may begin with it."""
        spans = [
            traces.follow("log.publish", one) if TRACEPARENT in one else traces.begin("log.publish")
            for one in sets
        ]
        try:
            await self._publish_all(
                events,
                [
                    one if span is None else {**one, **span.headers}
                    for one, span in zip(sets, spans, strict=True)
                ],
            )
        finally:
            for span in spans:
                if span is not None:
                    span.end()

    async def _publish_all(
        self, events: Sequence[Event], sets: Sequence[Mapping[str, bytes]]
    ) -> None:
        drafts = [_draft(event, one) for event, one in zip(events, sets, strict=True)]
        for start in range(0, len(drafts), MOST_IN_A_BATCH):
            await self._publish(drafts[start : start + MOST_IN_A_BATCH])
        if samples := sum(map(samples_of, events)):
            self._metrics.samples("collector", samples)

    async def _publish(self, drafts: Sequence[Draft]) -> None:
        parcel = _Parcel(drafts, asyncio.get_running_loop().create_future())
        async with self._changed:
            await self._changed.wait_for(
                lambda: not self._waiting or self._waiting + len(drafts) <= self._most_waiting
            )
            if self._failure is not None:
                raise self._failure
            self._parcels.append(parcel)
            self._put_waiting(len(drafts))
            self._changed.notify_all()
        await parcel.done

    async def _write(self) -> None:
        batch: list[_Parcel] = []
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: bool(self._parcels))
                    batch = self._take()
                await self._append([draft for parcel in batch for draft in parcel.drafts])
                await self._settle(batch)
        except BaseException as error:
            closed = isinstance(error, asyncio.CancelledError)
            self._failure = LogClosed("the publisher is closed") if closed else error
            await self._settle([*batch, *self._parcels], self._failure)
            raise

    async def _settle(self, parcels: Sequence[_Parcel], error: BaseException | None = None) -> None:
        for _, done in parcels:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
        async with self._changed:
            self._put_waiting(-sum(len(parcel.drafts) for parcel in parcels))
            self._changed.notify_all()

    def _put_waiting(self, more: int) -> None:
        self._waiting += more
        self._metrics.gauge("analyticbot_queued_messages", self._waiting, stage="collector")

    def _take(self) -> list[_Parcel]:
        batch = [self._parcels.popleft()]
        size = len(batch[0].drafts)
        while self._parcels and size + len(self._parcels[0].drafts) <= MOST_IN_A_BATCH:
            batch.append(self._parcels.popleft())
            size += len(batch[-1].drafts)
        return batch

    async def _append(self, drafts: Sequence[Draft]) -> None:
        await self._retry.call(lambda: self._log.append(drafts))
        self._metrics.sent("collector", len(drafts))


def _draft(event: Event, headers: Mapping[str, bytes]) -> Draft:
    key, value = channel_key(event.channel_id), encode(event)
    return Draft(UPDATES.name, key, value, event.observed_at_ms, headers)
