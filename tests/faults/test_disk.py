"""A disk that is full ends a worker with one line; with room it goes on, and nothing is missing."""

import subprocess
import sys
from pathlib import Path

from streams.topics import UPDATES
from tests.agents.working import GROUP, is_settled, opened
from tests.faults.disk import small_disk
from tests.faults.expectation import expected
from tests.faults.harness import stage
from tests.faults.left import differences, left_in, lying
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.waiting import until
from tests.faults.worker import ROOT
from tests.kafka.cluster import Cluster

MIB = 1 << 20
#: How many messages are observed.
COUNT = 1_200


def run_alone(url: str, count: int) -> tuple[int, str]:
    """Exit code and what it said."""
    command = [sys.executable, "-m", "tests.faults.alone", url, str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def told(said: str) -> str:
    """The one line for who has started it; the others are logs."""
    [line] = [line for line in said.splitlines() if line.startswith("analyticbot:")]
    return line


async def check(folder: Path) -> None:
    """All was observed, and what is in the log came of it."""
    log = await opened(folder)
    assert await is_settled(log)
    assert differences(await left_in(log, GROUP), await expected(log)) == []
    assert sum(map(len, (await lying(log, UPDATES.name)).values())) == COUNT
    await log.close()


async def test_the_embedded_log_stops_before_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 96 * MIB, 80 * MIB) as disk:
        url = f"embedded://{disk.folder / 'log'}?sync=false"
        assert run_alone(url, COUNT // 2) == (0, "")
        disk.fill(leave=63 * MIB)
        code, said = run_alone(url, COUNT)
        assert code == 1, said
        assert told(said).startswith("analyticbot: the pipeline stopped: log in ")
        disk.make_room()
        assert run_alone(url, COUNT) == (0, "")
        await check(disk.folder / "log")


async def test_the_embedded_log_to_the_last_byte(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 48 * MIB, 2 * MIB, 2 * MIB) as disk:
        url = f"embedded://{disk.folder / 'log'}?sync=false&free_bytes=0"
        code, said = run_alone(url, COUNT)
        assert code == 1, said
        assert told(said).startswith("analyticbot: the pipeline stopped: log in ")
        disk.make_room()
        assert run_alone(url, COUNT) == (0, "")
        await check(disk.folder / "log")


async def test_the_tables_of_a_worker_on_kafka(broker: Cluster, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * MIB, MIB // 4, 64 << 10) as disk:
        async with stage(broker.url, tmp_path) as on:
            worker = on.worker("one", static=True, tables=disk.folder / "tables")
            worker.program = "tests.faults.limited"
            worker.start()
            async with loading(on.log, observations()[:2_000], rate=400) as load:
                await load.reached(0.3)
                disk.fill()
                await until(lambda: not worker.running, 60, "the end of the worker")
                assert worker.exit_code == 1
                line = told(worker.said())
                assert line.startswith("analyticbot: the pipeline stopped: tables in ")
                disk.make_room()
                worker.start()
            await on.settled()
            await on.check()
            await worker.stop()
