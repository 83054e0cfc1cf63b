"""Reads analytics.alerts, and delivers each alert to the subscribed chats.

The log keeps the offsets of the group `bot`. They advance only after delivery, so that a restart
resumes there; AlertSender does not repeat alerts already delivered.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import cast

from bot.alert_sender import AlertSender
from bot.throttled import Place, ThrottledEdits
from streams.analytics import Alert
from streams.intake import Intake
from streams.kinds import KINDS
from streams.log import Batch, Log, LogError, LogUnavailable, OffsetTooOld, Partition, Record
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.retry import Retry
from streams.topics import ALERTS

logger = logging.getLogger(__name__)
GROUP = "bot"
#: Concurrent messages; Telegram accepts about 30 per second.
AT_ONCE = 20


class Alerts:
    def __init__(
        self,
        log: Log,
        courier: AlertSender,
        metrics: Metrics,
        edit_every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        pauses: Pauses | None = None,
    ) -> None:
        self._log = log
        self._courier = courier
        self._metrics = metrics
        self._intake = Intake("bot", metrics, KINDS)
        self._held = ThrottledEdits(edit_every_s)
        self._now_s = monotonic
        self._room = asyncio.Semaphore(AT_ONCE)
        self._retry = Retry({LogUnavailable: "log"}, logger, pauses, count=(metrics, "bot"))
        self._next: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}

    async def run(self) -> None:
        """Run until cancelled. Waits while the log is unavailable. Raises LogError."""
        while True:
            try:
                await self._retry.call(self._follow)
            except OffsetTooOld as gone:
                at = {"partition": str(gone.partition), "from": gone.offset, "to": gone.floor}
                logger.warning("alerts_removed_by_retention", extra=at)
                self._metrics.dropped("bot", "retention", gone.floor - gone.offset)
                self._next[gone.partition] = gone.floor

    async def _find_place(self) -> None:
        """Find the offsets to start from; a bot's first start begins at the end of the log."""
        committed = await self._log.committed(GROUP)
        ends = await self._log.bounds(ALERTS.name)
        self._next = {at: committed.get(at, bounds.next) for at, bounds in ends.items()}
        await self._commit()

    async def _follow(self) -> None:
        if not self._next:
            await self._find_place()
        batches = cast(
            "AsyncGenerator[Batch, None]", self._log.subscribe([ALERTS.name], dict(self._next))
        )
        async with aclosing(batches):
            upcoming = asyncio.ensure_future(anext(batches))
            try:
                while True:
                    await asyncio.wait({upcoming}, timeout=self._pause_s())
                    if upcoming.done():
                        await self._take(upcoming.result())
                        self._retry.succeeded()
                        upcoming = asyncio.ensure_future(anext(batches))
                    await self._edit_due()
                    await self._commit()
            finally:
                upcoming.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration, LogError):
                    await upcoming

    def _pause_s(self) -> float | None:
        due_s = self._held.next_due_s()
        return None if due_s is None else max(due_s - self._now_s(), 0)

    async def _take(self, batch: Batch) -> None:
        for record in batch.records:
            if alert := self._alert(record):
                chats = await self._courier.chats(alert)
                places = [Place(alert.alert_id, each.chat_id) for each in chats]
                now_s = self._now_s()
                at = batch.partition, record.offset, now_s
                due = [place for place in places if not self._held.hold(place, alert, *at)]
                await asyncio.gather(*(self._deliver(place, alert) for place in due))
            self._next[batch.partition] = record.offset + 1

    def _alert(self, record: Record) -> Alert | None:
        self._metrics.received("bot")
        message = self._intake.read(record.value or b"")
        return message if isinstance(message, Alert) else None

    async def _edit_due(self) -> None:
        due = list(self._held.take_due(self._now_s()))
        await asyncio.gather(*(self._deliver(place, edit.alert) for place, edit in due))

    async def _deliver(self, place: Place, alert: Alert) -> None:
        async with self._room:
            if await self._courier.deliver(alert, place.chat_id):
                self._held.told(place, self._now_s())

    async def _commit(self) -> None:
        """Commit up to the first record not yet delivered to all its chats."""
        reached: dict[Partition, int] = {}
        for partition, offset in self._next.items():
            held = self._held.first_offset(partition)
            reached[partition] = offset if held is None else held
        changed = {at: to for at, to in reached.items() if self._committed.get(at) != to}
        if changed:
            await self._log.commit(GROUP, changed)
            self._committed.update(changed)
