"""A worker as a process: ``python -m bench.worker URL TABLES PARTITIONS``, until SIGTERM.

The agents of the pipeline and nothing else; several of them share the partitions.
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

from agents.app import WorkerSettings, build
from analyticbot.config import read_settings
from analyticbot.signals import stop_on_signals
from analyticbot.stores import wanted_topics
from bench.peers.lap import cpu_of
from streams.metrics import Metrics
from streams.topics import Topic

ROOT = Path(__file__).parent.parent


class Worker:
    """The process, seen from outside. Started when it is made."""

    def __init__(self, url: str, tables: Path, partitions: int) -> None:
        command = [sys.executable, "-m", "bench.worker", url, str(tables), str(partitions)]
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


async def work(url: str, tables: Path, partitions: int) -> None:
    settings = WorkerSettings(broker=url, partitions=partitions, tables=tables, standbys=0)
    app = build(settings, Metrics())
    with stop_on_signals() as stop:
        running = asyncio.create_task(app.start())
        await stop.wait()
        await app.stop()
        await asyncio.gather(running, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.worker")
    parser.add_argument("url")
    parser.add_argument("tables", type=Path)
    parser.add_argument("partitions", type=int)
    given = parser.parse_args()
    # As analyticbot sets it: rows are many objects that live long.
    gc.set_threshold(50_000, 20, 50)
    asyncio.run(work(given.url, given.tables, given.partitions))


if __name__ == "__main__":
    main()
