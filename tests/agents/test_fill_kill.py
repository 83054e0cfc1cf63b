"""A fill that is killed with -9 again and again folds every message once, on a real log."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path

from agents.engine.fills import place_of
from agents.engine.past import Past
from streams.log import Log, Record
from streams.topics import UPDATES
from tables.rows import RowDecoder
from tests.agents.counts import COUNTS, Count
from tests.agents.filled import fills, until_live
from tests.agents.test_fill import TWIN
from tests.agents.victim import KILLED, run_victim
from tests.agents.working import (
    PARTITIONS,
    append,
    drafts_of,
    expected,
    opened,
    recorded_events,
    rows,
    upserts,
    working,
)

KILLS = 6
MORE = (TWIN, COUNTS)

_count = RowDecoder(Count)
_PLACE = place_of("counts", UPDATES.name)


async def test_a_fill_is_killed_and_folds_every_message_once(tmp_path: Path) -> None:
    drafts, chance = drafts_of(recorded_events()), random.Random(3)
    half = len(drafts) // 2
    async with working(tmp_path) as work:
        await append(work.log, drafts[:half])
        await work.settled()
    reached = [0]
    for turn in range(KILLS):
        # Every other one dies at once, the others once something of theirs is committed.
        messages, delay_ms = chance.randint(1, 120), chance.uniform(1, 20) * (turn % 2)
        assert run_victim(tmp_path, messages, delay_ms, fill_until_killed) == KILLED
        reached.append(await _filled_so_far(tmp_path))
    assert sorted(reached) == reached
    assert 0 < reached[2] < reached[4] < reached[6] < half
    async with working(tmp_path, more=MORE) as work:
        await append(work.log, drafts[half:])
        for decision in ("twin", "counts"):
            await until_live(work.log, decision, PARTITIONS)
        await work.settled()
        pure = await expected(work.log)
        assert rows(work.app) == pure.rows()
        assert await upserts(work.log) == pure.upserts
        twins, counts = work.app.tables["twins"].data, work.app.tables["counts"].data
        assert twins == work.app.tables["spikes"].data != {}
        assert sum(_count(data).messages for data in counts.values()) == len(drafts)


async def _filled_so_far(folder: Path) -> int:
    log = await opened(folder)
    try:
        return await _filled(log)
    finally:
        await log.close()


async def _filled(log: Log) -> int:
    """Messages that COUNTS has folded, as committed."""
    rows = (await fills(log)).values()
    return sum(max(row[_PLACE].next, 0) for row in rows if _PLACE in row)


def fill_until_killed(folder: Path, messages: int, delay_ms: float) -> None:
    """Kills itself when COUNTS has folded so many messages more, or, with a delay, so long after
    some of these are committed."""
    asyncio.run(_work(folder, messages, delay_ms))


async def _work(folder: Path, messages: int, delay_ms: float) -> None:
    before = await _filled_so_far(folder)
    folded, fold = 0, Past.fold

    def counted(self: Past, task: int, records: Sequence[Record]) -> None:
        nonlocal folded
        fold(self, task, records)
        folded += len(records) if self.name == "counts" else 0
        if folded >= messages and not delay_ms:
            os.kill(os.getpid(), signal.SIGKILL)

    Past.fold = counted  # type: ignore[method-assign]
    async with working(folder, more=MORE) as work:
        # What was folded is committed, and no more is folded.
        work.app.context.has_room = lambda _task: folded < messages
        while folded < messages or await _filled(work.log) <= before:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await asyncio.sleep(delay_ms / 1000)
        os.kill(os.getpid(), signal.SIGKILL)
