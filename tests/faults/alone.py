"""Source and pipeline in one process, on an embedded log, to the end of what there is to observe.

``python -m tests.faults.alone URL COUNT``: observes so many messages in all, and goes on where the
log ends.
"""

import asyncio
import sys

from agents.app import build
from agents.engine.worker import WorkerSettings, end_process
from streams import topics
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import path_of, settings_of
from streams.log import LogError
from streams.metrics import Metrics
from tests.agents.working import PARTITIONS, append, is_settled
from tests.faults.disk import obey_limit
from tests.faults.observations import observations


async def main(url: str, count: int) -> None:
    try:
        await work(url, count)
    except LogError as error:
        # At once: what the app waits for will not come any more.
        end_process(error)


async def work(url: str, count: int) -> None:
    log = await EmbeddedLog.open(path_of(url), settings_of(url))
    for topic in topics.ALL:
        await log.create(topic, PARTITIONS)
    app = build(WorkerSettings(broker=url, partitions=PARTITIONS), Metrics())
    starting = asyncio.create_task(app.start())
    there = await log.bounds(topics.UPDATES.name)
    done = sum(bounds.next for bounds in there.values())
    await append(log, observations()[done:count])
    while not await is_settled(log):  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0.05)
    await app.stop()
    await asyncio.gather(starting, return_exceptions=True)
    await log.close()


if __name__ == "__main__":
    obey_limit()
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
