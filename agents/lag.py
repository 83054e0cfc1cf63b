"""How far each stage is behind what is in the log, per partition.

Every worker reports all partitions, also those of others, so that the lag of a partition without
an owner is reported too: a sum takes the maximum of each partition first.
"""

import asyncio
from collections.abc import Iterable, Mapping

from agents.engine.plan import Plan
from agents.pipeline import writers
from streams.log import Log, LogUnavailable, Offsets, Partition
from streams.metrics import Metrics
from streams.topics import Topic

EVERY_S = 1.0


async def tell_lag(
    log: Log, metrics: Metrics, group: str, plan: Plan, every_s: float = EVERY_S
) -> None:
    """Set the lag of every stage until cancelled. `group` is that of the agents on Faust."""
    stages = [
        *((each.stage, group, (each.topic,)) for each in plan.inputs),
        *((writer.name, writer.group, writer.reads) for writer in writers(plan.kinds)),
    ]
    while True:
        try:
            for stage, of, reads in stages:
                for partition, lag in (await lag_of(reads, log, await log.committed(of))).items():
                    metrics.lag(stage, partition, lag)
        except LogUnavailable:
            # Other parts report the outage; the gauges keep their last values.
            metrics.error("log", "log_unavailable")
        await asyncio.sleep(every_s)


async def lag_of(reads: Iterable[Topic], log: Log, committed: Offsets) -> Mapping[Partition, int]:
    """Messages in the log that are not committed; removed ones do not count."""
    lags: dict[Partition, int] = {}
    for topic in reads:
        for partition, bounds in (await log.bounds(topic.name)).items():
            at = max(committed.get(partition, bounds.first), bounds.first)
            lags[partition] = bounds.next - at
    return lags
