"""One process a log, one engine a folder, and which URLs open one."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings, path_of, settings_of
from streams.log import Draft, LogClosed, LogError, LogInUse
from streams.opening import open_log
from streams.topics import Topic
from tests.streams.embedded.children import child, lines


async def test_a_second_process_is_told_which_one_has_the_log(tmp_path: Path) -> None:
    async with child("hold", tmp_path / "log") as process:
        assert await anext(lines(process)) == "open"
        with pytest.raises(LogInUse, match=rf"is in use by process {process.pid}$"):
            await EmbeddedLog.open(tmp_path / "log")
    log = await EmbeddedLog.open(tmp_path / "log")
    assert (tmp_path / "log" / "pid").read_text() == f"{os.getpid()}\n"
    await log.close()


async def test_another_event_loop_of_the_process_is_refused(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log")
    raised: list[BaseException] = []

    def elsewhere() -> None:
        try:
            asyncio.run(EmbeddedLog.open(tmp_path / "log"))
        except LogInUse as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "another event loop" in str(raised[0])
    await log.close()


async def test_two_handles_share_one_log_until_the_last_is_closed(tmp_path: Path) -> None:
    first = await EmbeddedLog.open(tmp_path / "log")
    second = await EmbeddedLog.open(tmp_path / "x" / ".." / "log")
    await first.create(Topic("t"), 1)
    batches = second.subscribe(["t"])
    await first.append([Draft("t", b"1", b"1", 1)])
    assert len((await anext(batches)).records) == 1
    await first.close()
    with pytest.raises(LogClosed):
        await first.append([Draft("t", b"1", b"1", 1)])
    await second.append([Draft("t", b"1", b"1", 1)])
    await second.close()


async def test_a_url_names_the_folder_and_the_settings(tmp_path: Path) -> None:
    url = f"embedded://{tmp_path}/a%20log?sync=false&buffer_bytes=1000&linger_ms=5"
    assert path_of(url) == tmp_path / "a log"
    assert settings_of(url) == Settings(sync=False, buffer_bytes=1000)
    log = await open_log(url)
    assert (tmp_path / "a log").is_dir()
    await log.close()


@pytest.mark.parametrize(
    "url",
    ["embedded://relative/folder", "embedded://", "embedded:///", "kafka", "redis://x", ""],
)
async def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(LogError, match=r"embedded:///absolute/folder|write kafka://"):
        await open_log(url)


async def test_a_wrong_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="buffer_bytes"):
        await open_log(f"embedded://{tmp_path}/log?buffer_bytes=much")


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="cannot be made"):
        await EmbeddedLog.open(tmp_path / "file" / "log")
