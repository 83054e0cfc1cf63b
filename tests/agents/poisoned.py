"""The pipeline as a process of its own, on a log whose messages it cannot process.

python -m tests.agents.poisoned FOLDER
"""

import asyncio
import sys
from pathlib import Path

from agents.app import build
from agents.engine.worker import WorkerSettings
from streams.log import Draft
from streams.metrics import Metrics
from streams.topics import UPDATES
from tests.agents.working import PARTITIONS, opened


async def main(folder: Path) -> None:
    log = await opened(folder)
    await log.append([Draft(UPDATES.name, b"42", b"\xc1", 1)] * 150)
    settings = WorkerSettings(broker=f"embedded://{folder}?sync=false", partitions=PARTITIONS)
    await build(settings, Metrics()).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
