"""Fills decisions from the log, in slices between what the live ones take.

A slice is folded without an await, and put together with how far it came: a commit has both or
neither. While messages come in, slices get a fifth of the time.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from agents.engine.fills import BEGINNING, NOTHING_RECALLED, Fill
from agents.engine.forgetting import Forgetting
from agents.engine.past import Past
from agents.engine.rebuilds import Rebuilds
from agents.engine.recalling import Archive, ArchiveUnavailable, Recalling, not_recalled
from agents.engine.slices import READ, SLICE, Slices
from streams.context import ProcessorContext, Task
from streams.limits import LAST_MS
from streams.log import Log, LogUnavailable, Partition, Record
from streams.metrics import Metrics
from streams.opening import open_log
from streams.retry import Retry
from streams.side_by_side import side_by_side

logger = logging.getLogger(__name__)

#: How often it is looked for something to fill, and how often progress is logged.
_LOOK_S = 0.25
_PROGRESS_S = 10.0


class Place(NamedTuple):
    """A decision of a task, on one of its topics."""

    decision: str
    topic: str
    task: Task


class Filling:
    """What is to be filled in the tasks of this process."""

    def __init__(
        self,
        pasts: Sequence[Past],
        context: ProcessorContext,
        group: str,
        log: Log,
        rebuilds: Rebuilds,
        metrics: Metrics,
        archive: Archive | None = None,
        at_once: int = READ,
    ) -> None:
        """`group` names the changelogs; so many records are read `at_once`.

        What the log has removed comes from the `archive`, where there is one.
        """
        self._pasts = pasts
        self._context = context
        self._rebuilds = rebuilds
        self._metrics = metrics
        self._slices = Slices(context, group, log, at_once)
        self._forgetting = Forgetting(self._slices)
        self._recalling = Recalling(self._slices, archive)
        #: What is being filled, and when its progress was logged last.
        self._begun: dict[Place, float] = {}

    async def run(self) -> None:
        """Until cancelled. Raises LogError other than LogUnavailable, and what handlers raise."""
        retry = Retry({LogUnavailable: "log", ArchiveUnavailable: "history"}, logger)
        while True:
            if not await retry.call(self.round):
                await asyncio.sleep(_LOOK_S)

    async def round(self) -> bool:
        """One step of everything that is to be filled. False: there is nothing."""
        worked = False
        for past, task in self._places():
            await self._forgetting.begin(past, task, self._rebuilds.wanted.get(past.name, 0))
            if self._slices.is_behind(past, task):
                worked = True
                await self._step(past, task)
        self._tell()
        return worked

    def _places(self) -> Iterator[tuple[Past, Task]]:
        for past in self._pasts:
            for task in self._context.owned():
                if task in self._context.owned():
                    yield past, task

    async def _step(self, past: Past, task: Task) -> None:
        fill = past.gate.fill(task, past.name)
        match fill.state:
            case "forgetting":
                await self._forgetting.step(past, task, fill)
            case "recalling":
                await self._recalling.step(past, task, fill)
            case "filling" if fill.next == BEGINNING:
                await self._begin(past, task, fill)
            case _:
                await self._fill(past, task, fill)

    async def _begin(self, past: Past, task: Task, fill: Fill) -> None:
        """Find out how far back the log goes, and what is to be recalled from before it."""
        at = Partition(past.topic, task)
        bounds = await self._slices.bounds(at)
        until = bounds.next if fill.until is None else fill.until
        first = bool(bounds.first) and await self._slices.read(at, bounds.first)
        recalled = bool(bounds.first) and await self._recalling.is_for(at, until)
        if not self._slices.is_at(past, task, fill):
            return
        fill.first = fill.next = bounds.first
        fill.until = until
        if bounds.first:
            fill.since_ms = first[0].appended_ms if first else LAST_MS
        if recalled:
            fill.state, fill.recalled = "recalling", NOTHING_RECALLED
        told = {"first": fill.first, "until": until, "since_ms": fill.since_ms}
        extra = {**Place(past.name, past.topic, task)._asdict(), **told, "from_history": recalled}
        logger.info("fill_began", extra=extra)
        self._moved(past, task, fill)

    async def _fill(self, past: Past, task: Task, fill: Fill) -> None:
        reached = past.gate.reached(task)
        records = await self._slices.read(Partition(past.topic, task), fill.next)
        if not self._slices.is_at(past, task, fill):
            return
        if not records:
            # Live decisions had come no further than what was read.
            fill.next = max(fill.next, fill.until or 0, reached or 0)
            self._moved(past, task, fill)
        for start in range(0, len(records), SLICE):
            began = time.perf_counter()
            self._fold(past, task, fill, records[start : start + SLICE])
            await self._slices.pause(past, task, time.perf_counter() - began)
            if not self._slices.is_at(past, task, fill):
                return

    def _fold(self, past: Past, task: Task, fill: Fill, records: Sequence[Record]) -> None:
        past.fold(task, not_recalled(records, fill))
        fill.next = records[-1].offset + 1
        self._moved(past, task, fill)

    def _moved(self, past: Past, task: Task, fill: Fill) -> None:
        place = Place(past.name, past.topic, task)
        if past.gate.moved(task, past.name):
            self._begun.pop(place, None)
            logger.info("fill_ended", extra={**place._asdict(), "at": fill.next})
        elif time.monotonic() > self._begun.setdefault(place, time.monotonic()) + _PROGRESS_S:
            self._begun[place] = time.monotonic()
            extra = {**place._asdict(), "at": fill.next, "left": self._left(past, task)}
            logger.info("fill_progress", extra=extra)

    # -- progress

    def _left(self, past: Past, task: Task) -> int:
        fill = past.gate.fill(task, past.name)
        if fill.state == "live":
            return 0
        end = max(fill.until or 0, past.gate.reached(task) or 0)
        return max(end - max(fill.next, fill.first), 0)

    def _tell(self) -> None:
        owned = self._context.owned()
        self._metrics.forget("analyticbot_fill_messages")
        left: Counter[str] = Counter()
        for past in self._pasts:
            left[past.name] += sum(self._left(past, task) for task in owned)
        for name, messages in left.items():
            self._metrics.gauge("analyticbot_fill_messages", messages, decision=name)


async def fill(
    pasts: Sequence[Past],
    context: ProcessorContext,
    group: str,
    log: Log | None,
    broker: str,
    metrics: Metrics,
    archive: Archive | None = None,
) -> None:
    """Until cancelled. Without a `log`, that of the URL `broker` is opened.

    Raises what Filling.run raises.
    """
    async with _opened(log, broker) as opened:
        rebuilds = Rebuilds()
        filling = Filling(pasts, context, group, opened, rebuilds, metrics, archive)
        await side_by_side(rebuilds.follow(opened), filling.run())


@asynccontextmanager
async def _opened(log: Log | None, broker: str) -> AsyncIterator[Log]:
    if log is not None:
        yield log
        return
    opened = await open_log(broker)
    try:
        yield opened
    finally:
        await opened.close()
