"""Kills with -9 at random points: what has keys of its own, and several topics, counts once.

On Kafka: tests/faults/test_keys.py.
"""

import asyncio
import random
from pathlib import Path

from tests.agents.proofs_left import PROOFS, check_proofs
from tests.agents.test_kill import put
from tests.agents.victim import KILLED, kill_after, run_victim
from tests.agents.working import GROUP, drafts_of, recorded_events, working

KILLS = 6


def work_until_killed(folder: Path, messages: int, delay_ms: float) -> None:
    asyncio.run(_work(folder, messages, delay_ms))


async def _work(folder: Path, messages: int, delay_ms: float) -> None:
    async with working(folder, more=PROOFS) as work:
        kill_after(work, messages, delay_ms)
        await asyncio.Event().wait()


async def test_kills_leave_every_word_counted_once(tmp_path: Path) -> None:
    drafts = drafts_of(recorded_events())[:1200]
    chance = random.Random(6)
    part = len(drafts) // KILLS
    for turn in range(KILLS):
        await put(tmp_path, drafts[turn * part : (turn + 1) * part])
        messages, delay_ms = chance.randint(1, part), chance.uniform(0, 30)
        assert run_victim(tmp_path, messages, delay_ms, work_until_killed) == KILLED
    async with working(tmp_path, more=PROOFS) as work:
        await work.settled()
        await check_proofs(work.log, GROUP)
