"""Twenty kills with -9 at random points, then a restart: the same as a run without faults."""

import random
from collections.abc import Sequence
from pathlib import Path

from streams import topics
from streams.log import Draft
from tests.agents.victim import KILLED, run_victim, work_until_killed
from tests.agents.working import (
    append,
    drafts_of,
    expected,
    opened,
    recorded_events,
    records,
    rows,
    upserts,
    working,
)

KILLS = 20


async def test_twenty_kills_leave_rows_and_outputs_as_without_faults(tmp_path: Path) -> None:
    drafts = drafts_of(recorded_events())
    chance = random.Random(20)
    share = len(drafts) // KILLS
    for turn in range(KILLS):
        # A share for each: however much one gets done before it dies, the next has enough to do.
        await put(tmp_path, drafts[turn * share : (turn + 1) * share])
        messages, delay_ms = chance.randint(1, share), chance.uniform(0, 30)
        assert run_victim(tmp_path, messages, delay_ms, work_until_killed) == KILLED
    await put(tmp_path, drafts[KILLS * share :])
    async with working(tmp_path) as work:
        await work.settled()
        pure = await expected(work.log)
        assert rows(work.app) == pure.rows()
        assert await upserts(work.log) == pure.upserts
        sent = await records(work.log, topics.WINDOWS.name)
        assert len(sent) == pure.window_messages
        assert work.counted("received", stage="updates") > 0


async def put(folder: Path, drafts: Sequence[Draft]) -> None:
    log = await opened(folder)
    await append(log, drafts)
    await log.close()
