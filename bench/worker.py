"""A worker as a process: ``python -m bench.worker URL FOLDER PARTITIONS``, until SIGTERM.

The agents of the pipeline, and with --history the history agent over chDB; several workers share
the partitions.
"""

import argparse
import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agents.app import build
from agents.engine.worker import WorkerSettings
from analyticbot.config import read_settings
from analyticbot.logs import set_up_logs
from analyticbot.signals import stop_on_signals
from analyticbot.stores import wanted_topics
from bench.peers.lap import cpu_of
from bench.pipeline import history
from bench.soak import memory_mib
from streams.metrics import Metrics
from streams.opening import open_log
from streams.topics import Topic

ROOT = Path(__file__).parent.parent


class Worker:
    """The process, seen from outside. Started when it is made."""

    def __init__(self, url: str, folder: Path, partitions: int, *options: str) -> None:
        command = [sys.executable, "-m", "bench.worker", url, str(folder), str(partitions)]
        command += options
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def cpu_s(self) -> float:
        self.check()
        return cpu_of(self.pid)

    def check(self) -> None:
        """Raises RuntimeError when it has ended by itself."""
        if self._process.poll() is not None:
            raise RuntimeError(f"a worker ended with {self._process.returncode}")

    def memory_mib(self, kind: str) -> int:
        self.check()
        return memory_mib(self.pid, kind)

    def end(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        self._process.wait()


def topics_of(url: str, partitions: int, mebibytes: int = 1024) -> Sequence[Topic]:
    """All that workers need; so much is kept of each."""
    environment = {
        "ANALYTICBOT_LOG": url,
        "ANALYTICBOT_PARTITIONS": str(partitions),
        "ANALYTICBOT_LOG_MIB": str(mebibytes),
    }
    return wanted_topics(read_settings(environment, Path()))


async def work(url: str, folder: Path, partitions: int, *, with_history: bool) -> None:
    settings = WorkerSettings(
        broker=url, partitions=partitions, tables=folder / "tables", standbys=0
    )
    app = build(settings, Metrics())
    log = await open_log(url)
    with stop_on_signals() as stop:
        async with history(log, folder / "history", wanted=with_history):
            running = asyncio.create_task(app.start())
            await stop.wait()
            await app.stop()
            await asyncio.gather(running, return_exceptions=True)
    await log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.worker")
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("partitions", type=int)
    parser.add_argument("--history", action="store_true")
    given = parser.parse_args()
    # As analyticbot sets it: rows are many objects that live long.
    gc.set_threshold(50_000, 20, 50)
    # A client says of each batch that it is tried once more.
    set_up_logs("error")
    asyncio.run(work(given.url, given.folder, given.partitions, with_history=given.history))


if __name__ == "__main__":
    main()
