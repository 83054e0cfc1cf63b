import asyncio
import shutil
from pathlib import Path

from analyticbot.disk import tell_disk
from streams.metrics import Metrics


async def test_the_room_is_told_also_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    metrics = Metrics()
    value = metrics.registry.get_sample_value
    task = asyncio.create_task(tell_disk(tmp_path / "not" / "yet", metrics))
    async with asyncio.timeout(10):
        while not value("analyticbot_disk_size_bytes"):  # noqa: ASYNC110
            await asyncio.sleep(0)
    task.cancel()
    usage = shutil.disk_usage(tmp_path)
    assert value("analyticbot_disk_size_bytes") == usage.total
    assert 0 < (value("analyticbot_disk_free_bytes") or 0) <= usage.total
