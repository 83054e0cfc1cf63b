"""Waiting until what is in the log has been processed."""

import asyncio

from agents.engine.plan import Plan
from agents.history.positions import reads
from agents.history.writer import GROUP as HISTORY_GROUP
from agents.history.writer import HistoryAgent
from analyticbot.roles.work import GROUP
from streams.log import Log, Offsets

#: How often a position is looked at that cannot be waited on.
_POLL_S = 0.02


async def drained(log: Log, history: HistoryAgent | None, plan: Plan) -> None:
    """Returns when all that is in the log now has been processed and is in history.

    In the order in which it flows: what is being processed may still send. `history` is who stores
    it, where that is this process alone: what the group has committed may have been lost since.
    Raises LogError, HistoryUnavailable.
    """
    processed = {each.topic for each in plan.inputs}
    stored = reads(plan.kinds)
    for topic in dict.fromkeys((*plan.flow, *stored)):
        ends = {at: end.next for at, end in (await log.bounds(topic.name)).items()}
        if topic in processed:
            await _processed(log, GROUP, ends)
        if topic not in stored:
            continue
        if history is not None:
            await history.caught_up(ends)
        else:
            await _processed(log, HISTORY_GROUP, ends)


async def _processed(log: Log, group: str, ends: Offsets) -> None:
    """Wait until the group has committed up to `ends`."""
    while True:
        committed = await log.committed(group)
        if all(end == 0 or committed.get(at, 0) >= end for at, end in ends.items()):
            return
        await asyncio.sleep(_POLL_S)
