"""A replay in a process of its own that is killed a while after some chunks.

python -m tests.streams.sources.replay_child RECORDING LOG CHUNKS MILLISECONDS
"""

import asyncio
import os
import sys
import threading
from pathlib import Path

from streams.embedded.log import EmbeddedLog
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.recording import Recording
from streams.sources.replay import Replayed, replay
from streams.topics import UPDATES


async def main(recording: Path, folder: Path, chunks: int, after_ms: float) -> None:
    log = await EmbeddedLog.open(folder)
    await log.create(UPDATES, 4)
    ending = threading.Timer(after_ms / 1000, os._exit, [9])
    ending.daemon = True
    acknowledged = 0

    def progress(_: Replayed) -> None:
        nonlocal acknowledged
        acknowledged += 1
        if acknowledged == chunks:
            ending.start()

    if not chunks:
        ending.start()
    async with Publisher(log, Metrics()) as publisher:
        await replay(Recording(recording), log, publisher, progress=progress)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
