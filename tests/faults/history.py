"""What history must hold of a log, and what it holds: everything, to the digit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from agents.history.batch import HistoryBatch
from agents.history.positions import TOPICS
from agents.history.recompute import Recompute
from agents.history.settings import HistorySettings
from agents.history.writer import GROUP, HistoryAgent
from clickhouse.chdb import ChdbHistory
from clickhouse.history import History
from streams.log import Batch, Log, Offsets
from streams.metrics import Metrics
from tests.agents.history_told import stored
from tests.faults.left import lying

Rows = dict[str, list[Any]]

#: Small batches, so that there are many insertions to disturb, and short pauses.
QUICK = HistorySettings(batch_rows=1_500, batch_s=0.1, first_pause_s=0.05, longest_pause_s=0.5)


async def wanted(log: Log, folder: Path) -> Rows:
    """All that lies in the log, inserted at once in an empty folder, late samples recomputed."""
    batch = HistoryBatch()
    for topic in TOPICS:
        for partition, records in (await lying(log, topic)).items():
            if records:
                batch.take(Batch(partition, records))
    history = await ChdbHistory.open(folder)
    await history.migrate()
    for insert in batch.inserts():
        await history.insert(insert)
    await _recompute(history)
    await history.close()
    return stored(folder)


async def _recompute(history: History) -> None:
    known = await history.ask("closed_marks", {"batch": 0})
    marks = {row["channel_id"]: row["start_ms"] for row in known.rows}
    recompute = Recompute(history, lambda work: work())
    await recompute.take_up(lambda channel_id: True)
    await recompute.run(marks, lambda channel_id, offset: True, _go_on)


async def _go_on() -> None: ...


def differences(found: Rows, wanted: Rows) -> list[str]:
    """A line a table; none when nothing was lost, doubled or changed."""
    return [
        f"{table}: {len(found.get(table, []))} rows, wanted {len(rows)}; "
        f"first difference {_first(found.get(table, []), rows)}"
        for table, rows in wanted.items()
        if found.get(table) != rows
    ]


def _first(found: list[Any], wanted: list[Any]) -> Any:
    pairs = zip(found, wanted, strict=False)
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


async def ends(log: Log) -> Offsets:
    return {
        partition: bounds.next
        for topic in TOPICS
        for partition, bounds in (await log.bounds(topic)).items()
    }


async def is_stored(log: Log) -> bool:
    """Whether the group of history agents has everything that lies in the log."""
    committed = await log.committed(GROUP)
    return all(committed.get(at, 0) >= end for at, end in (await ends(log)).items())


@asynccontextmanager
async def carrying(log: Log, history: History, metrics: Metrics) -> AsyncIterator[HistoryAgent]:
    agent = HistoryAgent(log, history, metrics, QUICK)
    task = asyncio.create_task(agent.run())
    try:
        yield agent
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
