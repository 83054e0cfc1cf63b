"""How much room is left where a process keeps its state, told to the metrics."""

import asyncio
import shutil
from pathlib import Path

from streams.metrics import Metrics

EVERY_S = 15.0


async def tell_disk(folder: Path, metrics: Metrics, every_s: float = EVERY_S) -> None:
    """Until cancelled. Of a folder that does not exist yet: where it will be."""
    while True:
        usage = shutil.disk_usage(_existing(folder))
        metrics.gauge("analyticbot_disk_free_bytes", usage.free)
        metrics.gauge("analyticbot_disk_size_bytes", usage.total)
        await asyncio.sleep(every_s)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
