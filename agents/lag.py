"""How far each agent is behind what is in the log, a partition.

Every worker tells all partitions, also those of others, so that the lag of a partition that
nobody has is told too: who sums takes the maximum of each partition first.
"""

import asyncio
from collections.abc import Mapping

from agents.history import GROUP as HISTORY_GROUP
from agents.pipeline import PIPELINE, Agent
from streams.log import Log, LogUnavailable, Offsets, Partition
from streams.metrics import Metrics

EVERY_S = 1.0


async def tell_lag(log: Log, metrics: Metrics, group: str, every_s: float = EVERY_S) -> None:
    """Set the lag of every agent until cancelled. `group` is that of the agents on Faust."""
    while True:
        try:
            for agent in PIPELINE:
                committed = await log.committed(HISTORY_GROUP if agent.stores else group)
                for partition, lag in (await lag_of(agent, log, committed)).items():
                    metrics.lag(agent.name, partition, lag)
        except LogUnavailable as error:
            # Those who need the log say so; here the last figures stay.
            metrics.error("log", type(error).__name__)
        await asyncio.sleep(every_s)


async def lag_of(agent: Agent, log: Log, committed: Offsets) -> Mapping[Partition, int]:
    """Messages in the log that an agent has not committed; removed ones do not count."""
    lags: dict[Partition, int] = {}
    for topic in agent.reads:
        for partition, bounds in (await log.bounds(topic.name)).items():
            at = max(committed.get(partition, bounds.first), bounds.first)
            lags[partition] = bounds.next - at
    return lags
