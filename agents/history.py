"""The history agent: what flows through the log goes into ClickHouse, each thing once.

A reader of the log port and not a Faust agent, because ClickHouse being away must stop neither
windows nor alerts. One batch at a time:

1. commit where the batch ends under the group PENDING,
2. insert its rows, each table under a token made of the batch's offsets and bytes,
3. commit its end under the group GROUP.

A restart between 1 and 3 reads the same range again, makes the same rows and inserts them under
the same tokens, so that what was stored already is dropped by ClickHouse.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import msgspec

from agents.history_batch import HistoryBatch
from agents.history_gathering import gathered
from clickhouse.history import History, HistoryUnavailable
from streams.clock import Clock
from streams.ids import ChannelId
from streams.log import Batch, Log, Offsets, OffsetTooOld, Partition
from streams.metrics import Metrics
from streams.topics import ALERTS, UPDATES, WINDOWS

GROUP = "history"
PENDING = "history-pending"
TOPICS = (UPDATES.name, WINDOWS.name, ALERTS.name)

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class HistorySettings(msgspec.Struct, frozen=True):
    #: A batch is stored when it has so many rows, or is so old. Many: merging parts costs more than
    #: holding rows, and only a backlog fills a batch before its time.
    batch_rows: int = 150_000
    batch_s: float = 0.5
    #: How long to wait for a store that is away: at first, and at most.
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


class HistoryAgent:
    """Run `run` in a task; it ends by being cancelled, or by an error that waiting cannot cure."""

    def __init__(
        self,
        log: Log,
        history: History,
        metrics: Metrics,
        settings: HistorySettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`clock` is the one by which sources stamp observations; without one, the machine's."""
        self._log = log
        self._history = history
        self._metrics = metrics
        self._settings = settings or HistorySettings()
        self._clock = clock
        self._position: dict[Partition, int] = {}
        self._marks: dict[ChannelId, int] = {}
        self._moved = asyncio.Condition()
        self._ended = False

    def position(self) -> Offsets:
        """The next offset to be stored, a partition. Everything before it is in history."""
        return dict(self._position)

    async def caught_up(self, offsets: Offsets) -> None:
        """Returns when everything before `offsets` (next offsets) is in history.

        Raises HistoryUnavailable when the agent has ended before.
        """
        async with self._moved:
            await self._moved.wait_for(lambda: self._ended or self._is_at(offsets))
        if not self._is_at(offsets):
            raise HistoryUnavailable("the history agent ended before it had stored everything")

    async def run(self) -> None:
        try:
            await self._resume()
            while True:
                try:
                    await self._follow()
                except OffsetTooOld as gap:
                    self._skip_to(gap.partition, gap.floor)
        finally:
            self._ended = True
            async with self._moved:
                self._moved.notify_all()

    async def _follow(self) -> None:
        stream = self._log.subscribe(TOPICS, self.position(), max_records=500)
        settings = self._settings
        batches = gathered(stream, settings.batch_rows, settings.batch_s, self._clock)
        async with aclosing(batches):
            async for batch in batches:
                await self._log.commit(PENDING, batch.ends)
                await self._store(batch)

    async def _resume(self) -> None:
        """Take up the committed position, and finish the batch that was pending, if any."""
        await self._take_position()
        batch = await self._pending_batch()
        known = await self._insist(
            lambda: self._history.ask("closed_marks", {"batch": batch.number})
        )
        self._marks = {row["channel_id"]: row["start_ms"] for row in known.rows}
        if batch.ends:
            _logger.info("history_batch_repeated", extra={"rows": len(batch)})
            await self._store(batch)
        # Whoever waits for what is in history already has nothing else to be told by.
        await self._move(batch.ends)

    async def _take_position(self) -> None:
        """From the committed offsets on; without one, from the first offset kept."""
        committed = await self._log.committed(GROUP)
        for topic in TOPICS:
            for partition, bounds in (await self._log.bounds(topic)).items():
                self._position[partition] = committed.get(partition, bounds.first)
                if self._position[partition] < bounds.first:
                    self._skip_to(partition, bounds.first)
        await self._log.commit(GROUP, self.position())

    async def _pending_batch(self) -> HistoryBatch:
        batch = HistoryBatch(self._clock)
        ends = await self._log.committed(PENDING)
        for partition, offset in sorted(self._position.items()):
            end = ends.get(partition, 0)
            while offset < end:
                records = await self._log.read(partition, offset, min(500, end - offset))
                within = [record for record in records if record.offset < end]
                if not within:
                    break
                batch.take(Batch(partition, within))
                offset = within[-1].offset + 1
        return batch

    async def _store(self, batch: HistoryBatch) -> None:
        """Insert what the batch comes to, then commit its end. Waits while the store is away."""
        started = time.perf_counter()
        repeated = batch.drop_closed(self._marks)
        for insert in batch.inserts():
            await self._insist(functools.partial(self._history.insert, insert))
        await self._log.commit(GROUP, batch.ends)
        self._marks.update(batch.closed_marks())
        await self._move(batch.ends)
        self._metrics.received("history", batch.messages)
        self._metrics.sent("history", len(batch))
        for reason, count in batch.dropped.items():
            self._metrics.dropped("history", reason, count)
        if repeated:
            self._metrics.dropped("history", "closed_before", repeated)
        self._metrics.observe(
            "analyticbot_stage_seconds", time.perf_counter() - started, stage="history"
        )

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until it is done, with growing pauses; said once, and again when it works."""
        pause_s, away = self._settings.first_pause_s, False
        while True:
            try:
                result = await work()
            except HistoryUnavailable as error:
                self._metrics.error("history", "unavailable")
                if not away:
                    _logger.warning("history_unavailable", extra={"reason": str(error)})
                away = True
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._settings.longest_pause_s)
            else:
                if away:
                    _logger.info("history_available")
                return result

    async def _move(self, ends: Offsets) -> None:
        self._position.update(ends)
        async with self._moved:
            self._moved.notify_all()

    def _skip_to(self, partition: Partition, floor: int) -> None:
        """What retention removed before it was stored is lost: told and counted, never silent."""
        lost = floor - self._position[partition]
        self._metrics.dropped("history", "removed_by_retention", lost)
        _logger.error(
            "history_gap",
            extra={"topic": partition.topic, "partition": partition.number, "messages": lost},
        )
        self._position[partition] = floor

    def _is_at(self, offsets: Offsets) -> bool:
        return all(
            self._position.get(partition, -1) >= offset
            for partition, offset in offsets.items()
            if partition.topic in TOPICS
        )
