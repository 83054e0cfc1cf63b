import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from analyticbot.disk import fail_while_held, tell_disk
from analyticbot.failure import Failure
from api.checks import log_check
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.metrics import Metrics
from tests.patience import PATIENCE_S

Opener = Callable[[int], Awaitable[EmbeddedLog]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opener]:
    """A log that needs so many free bytes."""
    logs: list[EmbeddedLog] = []

    async def open_(free_bytes: int) -> EmbeddedLog:
        logs.append(await EmbeddedLog.open(tmp_path / "log", Settings(free_bytes=free_bytes)))
        return logs[-1]

    yield open_
    for log in logs:
        await log.close()


@pytest.mark.parametrize(("free_bytes", "held"), [(0, 0), (1 << 60, 1)])
async def test_the_room_is_told_also_of_a_folder_that_is_not_there_yet(
    tmp_path: Path, opened: Opener, free_bytes: int, held: int
) -> None:
    metrics = Metrics()
    value = metrics.registry.get_sample_value
    log = await opened(free_bytes)
    task = asyncio.create_task(tell_disk(tmp_path / "not" / "yet", log, metrics))
    async with asyncio.timeout(PATIENCE_S):
        while not value("analyticbot_disk_size_bytes"):  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0)
    task.cancel()
    usage = shutil.disk_usage(tmp_path)
    assert value("analyticbot_disk_size_bytes") == usage.total
    assert 0 < (value("analyticbot_disk_free_bytes") or 0) <= usage.total
    assert value("analyticbot_log_held") == held


async def test_a_log_without_room_is_not_ready_and_says_what_to_do(opened: Opener) -> None:
    finding = await log_check(await opened(1 << 60))()
    assert not finding.ready
    assert "MiB are needed: make room" in finding.says


async def test_a_command_that_somebody_waits_for_ends(opened: Opener) -> None:
    with pytest.raises(Failure, match="make room and start again: it resumes where it stopped"):
        await fail_while_held(await opened(1 << 60))
