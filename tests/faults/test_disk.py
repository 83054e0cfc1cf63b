"""A disk that is full is waited for, or ends a worker with one line; with room it goes on, and
nothing is missing.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analyticbot.config import read_settings
from analyticbot.process import started
from analyticbot.roles.work import Agents
from streams.clock import SystemClock
from streams.metrics import Metrics
from streams.topics import AGENTS, UPDATES
from tests.agents.working import GROUP, is_settled, opened
from tests.faults.disk import Disk, small_disk
from tests.faults.expectation import expected
from tests.faults.harness import stage
from tests.faults.left import differences, left_in, lying
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.sizes import PARTITIONS
from tests.faults.waiting import until
from tests.faults.worker import ROOT
from tests.kafka.cluster import Cluster
from tests.patience import PATIENCE_S

MIB = 1 << 20
#: How many messages are observed.
COUNT = 1_200


@contextmanager
def alone(url: str, count: int, said: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """It ends by itself when all is done; what it says is in the file `said`."""
    command = [sys.executable, "-m", "tests.faults.alone", url, str(count)]
    with said.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def events(said: Path) -> list[str]:
    return said.read_text().split()


async def goes_on_with_room(disk: Disk, log_options: str, said: Path) -> None:
    """One that is started, meets the end of the disk, and ends when there is room again."""
    url = f"embedded://{disk.folder / 'log'}{log_options}"
    with alone(url, COUNT, said) as process:
        await until(lambda: events(said) == ["unavailable"], PATIENCE_S, "a log that waits")
        assert process.poll() is None
        disk.make_room()
        await until(lambda: process.poll() is not None, PATIENCE_S, "the end of the process")
    assert (process.returncode, events(said)) == (0, ["unavailable", "available"])
    await check(disk.folder / "log")


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


async def test_the_embedded_log_waits_before_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 96 * MIB, 80 * MIB) as disk:
        url = f"embedded://{disk.folder / 'log'}?sync=false"
        with alone(url, COUNT // 2, tmp_path / "first") as process:
            await until(lambda: process.poll() is not None, PATIENCE_S, "half of it")
            assert process.returncode == 0
        disk.fill(leave=63 * MIB)
        await goes_on_with_room(disk, "?sync=false", tmp_path / "said")


async def test_the_embedded_log_waits_at_the_last_byte(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 48 * MIB, MIB) as disk:
        await goes_on_with_room(disk, "?sync=false&free_bytes=0", tmp_path / "said")


async def test_a_new_log_is_not_made_without_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 96 * MIB, 63 * MIB) as disk:
        said = tmp_path / "said"
        with alone(f"embedded://{disk.folder / 'log'}", COUNT, said) as process:
            await until(lambda: process.poll() is not None, PATIENCE_S, "the end of the process")
            assert process.returncode == 1
        assert told(said.read_text()).endswith("64 MiB are needed: make room")


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(63 * MIB, id="before it is full"),
        pytest.param(0, id="at the last byte", marks=pytest.mark.chaos),
    ],
)
async def test_the_role_work_on_kafka_gives_its_tasks_away_and_goes_on_with_room(
    broker: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: int
) -> None:
    if not leave:
        # As where another program takes all between two looks.
        monkeypatch.setattr("analyticbot.roles.work.ROOM_EVERY_S", 3.0)
    with small_disk(tmp_path / "disk", 160 * MIB, 150 * MIB) as disk:
        async with stage(broker.url, tmp_path, AGENTS) as on:
            settings = read_settings(
                {
                    "ANALYTICBOT_DATA": str(disk.folder / "data"),
                    "ANALYTICBOT_LOG": broker.url,
                    "ANALYTICBOT_PARTITIONS": str(PARTITIONS),
                },
                tmp_path,
            )
            settings.data.mkdir()
            async with started(settings, on.log, SystemClock(), Metrics()) as process:
                agents = Agents(process)
                process.services.add("agents", agents.run())

                async def says(words: str) -> bool:
                    return words in (await agents.check()).says

                await until(lambda: says(f"{PARTITIONS} tasks"), PATIENCE_S, "its tasks")
                async with loading(on.log, observations()[:2_000], rate=400) as load:
                    await load.reached(0.3)
                    disk.fill(leave)
                    await until(lambda: says("make room"), PATIENCE_S, "that it waits for room")
                    assert not (await agents.check()).ready
                    disk.make_room()
                await on.settled()
                assert (await agents.check()).ready
            await on.check()


@pytest.mark.chaos
async def test_the_tables_of_a_worker_on_kafka(broker: Cluster, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * MIB, MIB // 4, 64 << 10) as disk:
        async with stage(broker.url, tmp_path) as on:
            worker = on.worker("one", static=True, tables=disk.folder / "tables")
            worker.program = "tests.faults.limited"
            worker.start()
            async with loading(on.log, observations()[:2_000], rate=400) as load:
                await load.reached(0.3)
                disk.fill()
                await until(lambda: not worker.running, PATIENCE_S, "the end of the worker")
                assert worker.exit_code == 1
                line = told(worker.said())
                assert line.startswith("analyticbot: the pipeline stopped: tables in ")
                disk.make_room()
                worker.start()
            await on.settled()
            await on.check()
            await worker.stop()
