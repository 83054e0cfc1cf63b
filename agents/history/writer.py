"""The history agent: what flows through the log goes into ClickHouse, each thing once.

A reader of the log port and not a Faust agent, because ClickHouse being away must stop neither
windows nor alerts. Any number of them assignment the partitions as members of the group GROUP. One
batch at a time:

1. begin it: the log keeps what it holds,
2. insert its rows, each table under a token made of the batch's offsets and bytes,
3. finish it: the log keeps where to go on.

Who comes after a crash between 1 and 3, or gets a partition of the batch when members come and
go, reads the whole batch again, makes the same rows and inserts them under the same tokens, so
that what was stored already is dropped by ClickHouse. Who does not know yet that its partitions
are others' now is refused at 1 and at 3; before an insertion that comes long after 1, 1 is
repeated, because ClickHouse remembers tokens only for a while.
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
    """Run `run` in a task; it ends by being cancelled, or by an error that waiting cannot cure."""

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
        #: Of each topic: all have the same number.
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
        #: Whether its assignment is taken up: before that its position says too much.
        self._taken = False
        self._ended = False

    def position(self) -> Offsets:
        """The next offset to be stored, of each partition that this member has.

        Everything before it is in history.
        """
        return dict(self._position)

    def missing(self) -> int:
        """How many messages were committed and are not in history (any more); 0 when all are."""
        return self._start.missing(self._position)

    async def caught_up(self, offsets: Offsets) -> None:
        """Returns when everything before `offsets` (next offsets) is in history.

        For who is the only member: of others' partitions it knows nothing.
        Raises HistoryUnavailable when the agent has ended before.
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
        """With one assignment after the other."""
        while True:
            try:
                assignment = await member.assignment()
                await self._take(member, assignment)
                self._without_log.succeeded()
                await self._follow(member, assignment)
            except NotOwner:
                _logger.info("history_shared_anew")
            except OffsetTooOld:
                # The next look at the assignment finds what is lost, and tells it.
                continue

    async def _take(self, member: Member, assignment: Assignment) -> None:
        """Take up the positions, and finish what was begun, if anything."""
        self._taken = False
        self._held = Held.told(await self._insist(lambda: self._history.ask("positions", {})))
        at = (self._log, self._keeping.topics, assignment, self._held, self._metrics)
        self._start = start = await started(*at)
        self._position = start.positions
        self._partitions = len(await self._log.partitions(UPDATES.name)) or 1
        for gap in start.gaps:
            await self._insist(functools.partial(self._history.insert, gap))
        for ranges in assignment.begun:
            # Of a history that was removed or restored since, its beginning must come first.
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
        # Whoever waits for what is in history already has nothing else to be told by.
        await self._move({})

    async def _forget_begun(self, member: Member, partitions: Iterable[Partition]) -> None:
        """What was begun of own ones is not repeated: nothing of it is in this history."""
        own = {each: self._position[each] for each in partitions if each in self._position}
        if own:
            await member.begin({each: OffsetRange(at, at) for each, at in own.items()})
            await member.finish(own)

    async def _note(self, offsets: Offsets) -> None:
        """Have history say that it holds all before `offsets`."""
        insert = self._held.moved(offsets)
        if insert is not None:
            await self._insist(functools.partial(self._history.insert, insert))

    async def _repeat(self, member: Member, ranges: OffsetRanges) -> None:
        """What was begun and not finished. It may be of partitions that are others' now."""
        batch = await batch_of(self._log, ranges, self._keeping)
        _logger.info("history_batch_repeated", extra={"rows": len(batch)})
        self._marks = await self._known_marks(batch.number)

        async def renew() -> None:
            if ranges not in (await member.assignment()).begun:
                raise NotOwner("another member has finished this batch")

        # The marks are those from before it only if nobody has finished it by now and gone on.
        await renew()
        await self._store(batch, renew)
        await self._move(
            await self._finish(member, {at: range_.next for at, range_ in ranges.items()})
        )

    async def _known_marks(self, number: int) -> dict[ChannelId, int]:
        """Up to where each channel's windows are closed, not counting the batch of that number."""
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
                # Only now: a window that was closed by a batch that is repeated must be as it was.
                own = await self._finish(member, batch.ends)
                await self._put_late_right({**self._position, **own}, unmoved)
                await self._move(own)

    async def _put_late_right(self, stored: Offsets, renew: Callable[[], Awaitable[Any]]) -> None:
        """Compute the windows of late samples once no more of them come, or it is time."""
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
        """The partition of what is observed of a channel."""
        return Partition(UPDATES.name, partition_of(channel_key(channel_id), self._partitions))

    async def _finish(self, member: Member, ends: Offsets) -> Offsets:
        """Commit what is this member's of it; returns that."""
        # What retention removed may have been begun: then the position is ahead of its end.
        at = self._position
        own = {each: max(end, at[each]) for each, end in ends.items() if each in at}
        await member.finish(own)
        return own

    async def _store(self, batch: HistoryBatch, renew: Callable[[], Awaitable[None]]) -> None:
        """Insert what the batch comes to. Waits while the store is away."""
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
