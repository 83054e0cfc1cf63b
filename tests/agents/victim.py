"""A process that works on a log until it is killed with -9, by itself, at some point.

Processes are forked from one that has everything imported, so that a victim costs its work only.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.agents.working import Working, working

#: The exit code of what was killed with -9.
KILLED = -signal.SIGKILL
PATIENCE_S = 120


def run_victim(
    folder: Path, messages: int, delay_ms: float, work: Callable[[Path, int, float], None]
) -> int | None:
    """Run `work` in a process of its own, to its end; the exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([work.__module__])
    process = context.Process(target=work, args=(folder, messages, delay_ms))
    process.start()
    process.join(PATIENCE_S)
    code = process.exitcode
    # One that hangs would be waited for at the end of all tests.
    process.kill()
    process.join()
    return code


def work_until_killed(folder: Path, messages: int, delay_ms: float) -> None:
    """Kills itself `delay_ms` after it has processed so many messages of telegram.updates."""
    asyncio.run(_work(folder, messages, delay_ms))


async def _work(folder: Path, messages: int, delay_ms: float) -> None:
    async with working(folder) as work:
        kill_after(work, messages, delay_ms)
        await asyncio.Event().wait()


def kill_after(work: Working, messages: int, delay_ms: float) -> None:
    """Kill this process from another thread, so that it may hit any point of the work."""

    def watch() -> None:
        while work.counted("received", stage="updates") < messages:
            time.sleep(0.0005)
        time.sleep(delay_ms / 1000)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
