"""The history writer: stores the records of the log in ClickHouse, each once.

It reads through the log port and is not a Faust agent, so that windows and alerts continue while
ClickHouse is unavailable. Any number of writers share the partitions as members of the group
GROUP. One batch at a time:

1. begin it: the log stores its ranges,
2. insert its rows, each table under a token made of the batch's offsets and bytes,
3. finish it: the log stores the next offsets.

After a crash between 1 and 3, or when a partition is reassigned, the new owner reads the whole
batch again, makes the same rows and inserts them under the same tokens, so ClickHouse drops what it
has already. A previous owner that does not know of the reassignment yet is refused at 1 and 3. Long
after 1, the writer repeats 1 before it inserts: ClickHouse remembers tokens only for a while.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any, Never

from agents.history.batch import HistoryBatch, Keeping
from agents.history.gathering import gathered
from agents.history.pending import Held
from agents.history.positions import ends_of, is_at, still
from agents.history.recompute import Recompute
from agents.history.repeating import batch_of
from agents.history.settings import HistorySettings
from agents.history.start import Start, started
from clickhouse.history import History, HistoryUnavailable, Insert
from streams.clock import Clock, SystemClock
from streams.ids import ChannelId
from streams.intake import Intake
from streams.log import (
    Assignment,
    Log,
    LogUnavailable,
    Member,
    NotOwner,
    OffsetRange,
    OffsetRanges,
    Offsets,
    OffsetTooOld,
    Partition,
)
from streams.metrics import Metrics
from streams.partitioner import partition_of
from streams.pauses import Pauses
from streams.retry import Retry
from streams.topics import UPDATES, channel_key

GROUP = "history"

_logger = logging.getLogger(__name__)


class HistoryAgent:
    """Run `run` in an asyncio.Task: it ends if cancelled, or by an error that is no outage."""

    def __init__(
        self,
        log: Log,
        history: History,
        metrics: Metrics,
        settings: HistorySettings | None = None,
        clock: Clock | None = None,
        instance: str | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """`clock` measures by the time of the sources; without one, the machine's.

        `instance` is this member's name: see Log.join. `keeping`: by default of KINDS.
        """
        self._keeping = keeping or Keeping()
        topics = self._keeping.topics
        self._join = functools.partial(log.join, GROUP, topics, instance=instance)
        self._log = log
        self._history = history
        self._metrics = metrics
        self._intake = Intake("history", metrics, self._keeping.kinds)
        self._settings = settings or HistorySettings()
        self._clock = clock or SystemClock()
        self._position: dict[Partition, int] = {}
        #: Partitions of each topic: all have the same number.
        self._partitions = 1
        self._marks: dict[ChannelId, int] = {}
        pauses = self._settings.first_pause_s, self._settings.longest_pause_s
        self._without_log = Retry(
            {LogUnavailable: "log"}, _logger, Pauses(*pauses), count=(metrics, "history")
        )
        self._insist = Retry(
            {HistoryUnavailable: "history"}, _logger, Pauses(*pauses), count=(metrics, "history")
        ).call
        self._recompute = Recompute(history, self._insist)
        self._held = Held({}, 0)
        self._start = Start({}, {}, [])
        self._moved = asyncio.Condition()
        #: Whether the assignment was taken up: before that the position may be too high.
        self._taken = False
        self._ended = False

    def position(self) -> Offsets:
        """The next offset to store, per partition that this member owns.

        History holds everything before it.
        """
        return dict(self._position)

    def missing(self) -> int:
        """The number of committed messages that history does not hold; 0 if it holds all."""
        return self._start.missing(self._position)

    async def caught_up(self, offsets: Offsets) -> None:
        """Waits until history holds everything before `offsets` (next offsets).

        Only for the only member of the group: it does not know other members' partitions.
        Raises HistoryUnavailable if the writer ended before that.
        """
        async with self._moved:
            await self._moved.wait_for(lambda: self._ended or self._has(offsets))
        if not self._has(offsets):
            raise HistoryUnavailable("the history writer stopped before it had stored everything")

    async def run(self) -> None:
        member: Member | None = None
        try:
            member = await self._without_log.call(self._join)
            await self._without_log.call(functools.partial(self._take_part, member))
        finally:
            self._ended = True
            async with self._moved:
                self._moved.notify_all()
            if member is not None:
                await member.leave()

    async def _take_part(self, member: Member) -> Never:
        """Runs with one assignment after the other."""
        while True:
            try:
                assignment = await member.assignment()
                await self._take(member, assignment)
                self._without_log.succeeded()
                await self._follow(member, assignment)
            except NotOwner:
                _logger.info("history_shared_anew")
            except OffsetTooOld:
                # The next assignment finds and reports what is lost.
                continue

    async def _take(self, member: Member, assignment: Assignment) -> None:
        """Load the positions, and finish the batch that was begun, if any."""
        self._taken = False
        self._held = Held.told(await self._insist(lambda: self._history.ask("positions", {})))
        at = (self._log, self._keeping.topics, assignment, self._held, self._metrics)
        self._start = start = await started(*at)
        self._position = start.positions
        self._partitions = len(await self._log.partitions(UPDATES.name)) or 1
        for gap in start.gaps:
            await self._insist(functools.partial(self._history.insert, gap))
        for ranges in assignment.begun:
            # A history that was removed or restored since must be filled from its beginning first.
            if self._held.reaches(ranges):
                await self._repeat(member, ranges)
            else:
                await self._forget_begun(member, ranges)
        await self._forget_begun(member, start.lost)
        self._marks = await self._known_marks(0)
        await self._recompute.take_up(self._owns)
        await self._put_late_right(self.position(), still(member, assignment))
        await self._note(self.position())
        await member.finish(self.position())
        self._taken = True
        # Wake those who wait for records that history holds already.
        await self._move({})

    async def _forget_begun(self, member: Member, partitions: Iterable[Partition]) -> None:
        """Do not repeat the begun batch of this member: this history holds nothing of it."""
        own = {each: self._position[each] for each in partitions if each in self._position}
        if own:
            await member.begin({each: OffsetRange(at, at) for each, at in own.items()})
            await member.finish(own)

    async def _note(self, offsets: Offsets) -> None:
        """Record in history that it holds everything before `offsets`."""
        insert = self._held.moved(offsets)
        if insert is not None:
            await self._insist(functools.partial(self._history.insert, insert))

    async def _repeat(self, member: Member, ranges: OffsetRanges) -> None:
        """Repeat a batch that was begun and not finished. Others may own parts of it now."""
        batch = await batch_of(self._log, ranges, self._keeping)
        _logger.info("history_batch_repeated", extra={"rows": len(batch)})
        self._marks = await self._known_marks(batch.number)

        async def renew() -> None:
            if ranges not in (await member.assignment()).begun:
                raise NotOwner("another member has finished this batch")

        # The marks precede the batch only if no other member has finished it and continued.
        await renew()
        await self._store(batch, renew)
        await self._move(
            await self._finish(member, {at: range_.next for at, range_ in ranges.items()})
        )

    async def _known_marks(self, number: int) -> dict[ChannelId, int]:
        """The last closed window of each channel, ignoring the batch with that number."""
        known = await self._insist(lambda: self._history.ask("closed_marks", {"batch": number}))
        return {row["channel_id"]: row["start_ms"] for row in known.rows}

    async def _follow(self, member: Member, assignment: Assignment) -> None:
        stream, unmoved = member.read(self.position(), max_records=500), still(member, assignment)
        rows, wait_s = self._settings.batch_rows, self._settings.batch_s
        batches = gathered(stream, rows, wait_s, self._keeping)
        async with aclosing(batches):
            async for batch in batches:
                begin = functools.partial(member.begin, batch.ranges)
                await begin()
                await self._store(batch, begin)
                self._recompute.note(batch.late)
                # Only now: a repeated batch must see the marks from before it.
                own = await self._finish(member, batch.ends)
                await self._put_late_right({**self._position, **own}, unmoved)
                await self._move(own)

    async def _put_late_right(self, stored: Offsets, renew: Callable[[], Awaitable[Any]]) -> None:
        """Recompute the windows of late samples once no more arrive, or when it is time."""
        waiting_s = self._recompute.waiting_s(self._marks)
        if waiting_s is None:
            return
        is_all = is_at(stored, await ends_of(self._log, self._position, self._keeping.topics))
        if is_all or waiting_s >= self._settings.recompute_s:

            def is_stored(channel_id: ChannelId, offset: int) -> bool:
                at = stored.get(self._updates_of(channel_id), -1)
                return at > offset or (is_all and at >= 0)

            await self._recompute.run(self._marks, is_stored, renew)

    def _owns(self, channel_id: ChannelId) -> bool:
        return self._updates_of(channel_id) in self._position

    def _updates_of(self, channel_id: ChannelId) -> Partition:
        """The partition of a channel's observations."""
        return Partition(UPDATES.name, partition_of(channel_key(channel_id), self._partitions))

    async def _finish(self, member: Member, ends: Offsets) -> Offsets:
        """Commit the part of the batch that this member owns; returns that part."""
        # Retention may have removed part of the batch: then the position is beyond its end.
        at = self._position
        own = {each: max(end, at[each]) for each, end in ends.items() if each in at}
        await member.finish(own)
        return own

    async def _store(self, batch: HistoryBatch, renew: Callable[[], Awaitable[None]]) -> None:
        """Insert the rows of the batch. Waits while the store is unavailable."""
        started = begun = time.perf_counter()

        async def insert(rows: Insert) -> None:
            nonlocal begun
            if time.perf_counter() - begun > self._settings.renew_s:
                await renew()
                begun = time.perf_counter()
            await self._history.insert(rows)

        repeated = batch.drop_closed(self._marks)
        for rows in batch.inserts():
            await self._insist(functools.partial(insert, rows))
        await self._note(batch.ends)
        self._marks.update(batch.closed_marks())
        self._count(batch, repeated, time.perf_counter() - started)

    def _count(self, batch: HistoryBatch, repeated: int, seconds: float) -> None:
        self._metrics.received("history", batch.messages)
        self._metrics.samples("history", batch.samples)
        self._metrics.sent("history", len(batch))
        for reason, count in batch.dropped.items():
            self._metrics.dropped("history", reason, count)
        for error in batch.unread.values():
            self._intake.log(error)
        if repeated:
            self._metrics.dropped("history", "closed_before", repeated)
        self._metrics.observe("analyticbot_stage_seconds", seconds, stage="history")
        if batch.since_ms is not None:
            way_ms = self._clock.now_ms() - batch.since_ms
            self._metrics.arrived("history", way_ms / 1000 / self._clock.speed)

    def _has(self, offsets: Offsets) -> bool:
        return self._taken and is_at(self._position, offsets, self._keeping.topics)

    async def _move(self, ends: Offsets) -> None:
        self._position.update(ends)
        async with self._moved:
            self._moved.notify_all()
