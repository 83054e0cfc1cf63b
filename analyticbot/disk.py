"""Monitors the free space of a process's disk, and whether its log waits for space."""

import asyncio
import shutil
from pathlib import Path

from analyticbot.failure import Failure
from streams.log import Log
from streams.metrics import Metrics

EVERY_S = 2.0


async def tell_disk(folder: Path, log: Log, metrics: Metrics) -> None:
    """Updates the disk metrics until cancelled.

    For a folder that does not exist yet, measures its nearest existing parent.
    """
    while True:
        usage = shutil.disk_usage(_existing(folder))
        metrics.gauge("analyticbot_disk_free_bytes", usage.free)
        metrics.gauge("analyticbot_disk_size_bytes", usage.total)
        metrics.gauge("analyticbot_log_held", bool(log.held))
        await asyncio.sleep(EVERY_S)


async def fail_while_held(log: Log) -> None:
    """For commands in the foreground. Raises Failure once the log waits for space."""
    while True:
        if reason := log.held:
            raise Failure(f"{reason} and start again: it resumes where it stopped")
        await asyncio.sleep(EVERY_S)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
