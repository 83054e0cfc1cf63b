"""Carries a log into a history until it is killed, or until all is there: then it ends.

``python -m tests.agents.history_victim LOG HISTORY``
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from agents.history.settings import HistorySettings
from agents.history.writer import HistoryAgent
from clickhouse.chdb import ChdbHistory
from streams.metrics import Metrics
from tests.agents.history_told import ends, opened_log


async def carry(log_folder: Path, history_folder: Path) -> None:
    log = await opened_log(log_folder)
    history = await ChdbHistory.open(history_folder)
    await history.migrate()
    settings = HistorySettings(batch_rows=150, batch_s=0.05)
    agent = HistoryAgent(log, history, Metrics(), settings)
    task = asyncio.create_task(agent.run())
    print("running", flush=True)
    await agent.caught_up(await ends(log))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await history.close()
    await log.close()


if __name__ == "__main__":
    asyncio.run(carry(Path(sys.argv[1]), Path(sys.argv[2])))
