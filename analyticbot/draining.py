"""Waiting until what is in the log has been processed."""

import asyncio

from agents.history import GROUP as HISTORY_GROUP
from analyticbot.roles.work import GROUP
from streams import topics
from streams.log import Log, Offsets

#: How often a position is looked at that cannot be waited on.
_POLL_S = 0.02


async def drained(log: Log) -> None:
    """Returns when all that is in the log now has been processed and is in history.

    In the order in which it flows: what is being processed may still send.
    """
    for topic in (topics.UPDATES, topics.WINDOWS, topics.ALERTS):
        ends = {at: end.next for at, end in (await log.bounds(topic.name)).items()}
        groups = (HISTORY_GROUP,) if topic is topics.ALERTS else (GROUP, HISTORY_GROUP)
        for group in groups:
            await _processed(log, group, ends)


async def _processed(log: Log, group: str, ends: Offsets) -> None:
    """Wait until the group has committed up to `ends`."""
    while True:
        committed = await log.committed(group)
        if all(end == 0 or committed.get(at, 0) >= end for at, end in ends.items()):
            return
        await asyncio.sleep(_POLL_S)
