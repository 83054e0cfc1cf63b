"""How far each agent is behind what is in the log."""

import asyncio

from agents.history import GROUP as HISTORY_GROUP
from agents.pipeline import PIPELINE, Agent
from streams.log import Log, LogUnavailable, Offsets
from streams.metrics import Metrics

EVERY_S = 1.0


async def tell_lag(log: Log, metrics: Metrics, group: str, every_s: float = EVERY_S) -> None:
    """Set the lag of every agent until cancelled. `group` is that of the agents on Faust."""
    while True:
        try:
            for agent in PIPELINE:
                committed = await log.committed(HISTORY_GROUP if agent.stores else group)
                lag = await lag_of(agent, log, committed)
                metrics.gauge("analyticbot_lag_messages", lag, stage=agent.name)
        except LogUnavailable as error:
            # Those who need the log say so; here the last figures stay.
            metrics.error("log", type(error).__name__)
        await asyncio.sleep(every_s)


async def lag_of(agent: Agent, log: Log, committed: Offsets) -> int:
    """Messages in the log that an agent has not committed; removed ones do not count."""
    lag = 0
    for topic in agent.reads:
        for partition, bounds in (await log.bounds(topic.name)).items():
            lag += bounds.next - max(committed.get(partition, bounds.first), bounds.first)
    return lag
