"""Waits until the present messages of the log have been processed and stored."""

import asyncio

from agents.engine.plan import Plan
from agents.history.positions import reads
from agents.history.writer import GROUP as HISTORY_GROUP
from agents.history.writer import HistoryAgent
from analyticbot.roles.work import GROUP
from streams.log import Log, Offsets

#: The interval of polling committed offsets, which send no notification.
_POLL_S = 0.02


async def drained(log: Log, history: HistoryAgent | None, plan: Plan) -> None:
    """Returns when all present messages of the log have been processed and are in history.

    Waits topic by topic in the order of the flow, because processing sends more messages. Pass the
    `history` writer if only this process stores: history may have lost messages that its group had
    committed. Raises LogError, HistoryUnavailable.
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
