"""`analyticbot rebuild history`: the new history equals the one before; that one is put aside."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.writer import GROUP
from analyticbot import rebuilding
from analyticbot.config import Settings, read_settings
from analyticbot.failure import Failure
from analyticbot.rebuilding import REBUILDS, Rebuild
from analyticbot.stores import opened_history, opened_log
from clickhouse.history import HistoryError
from streams.log import Bounds, Log, Partition
from tests.agents.history_told import CHANNELS, MINUTE_MS, NOON_MS, minute_of_messages, stored

MINUTES = 6
DAMAGES = ["whole", "removed", "undescribed", "cut short", "flipped"]


def settings_in(folder: Path) -> Settings:
    return read_settings({"ANALYTICBOT_DATA": str(folder), "ANALYTICBOT_PARTITIONS": "2"}, folder)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log, and the history of it."""
    folder = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        settings = settings_in(folder)
        async with opened_log(settings) as log:
            for minute in range(MINUTES):
                await log.append(minute_of_messages(minute))
            await rebuilt(settings, log)

    asyncio.run(fill())
    return folder


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    for folder in ("log", "history"):
        shutil.copytree(filled / folder, tmp_path / folder, symlinks=True)
    return settings_in(tmp_path)


@pytest.fixture
def before(filled: Path) -> dict[str, list[Any]]:
    return stored(filled / "history")


async def rebuilt(settings: Settings, log: Log) -> str | None:
    """Where the history before is."""
    rebuild = Rebuild(settings, log)
    aside = await rebuild.begin("now") if await rebuild.look() else "gone on"
    await rebuild.fill(lambda done, total: None)
    return aside


def damage(history: Path, how: str) -> None:
    posts = history / "data" / "analyticbot" / "posts"
    match how:
        case "removed":
            shutil.rmtree(history)
        case "undescribed":
            shutil.rmtree(history / "metadata")
        case "cut short":
            (history / "metadata" / "analyticbot" / "windows.sql").write_bytes(b"ATTACH")
        case "flipped":
            for part in posts.glob("all_*"):
                data = bytearray((part / "data.bin").read_bytes())
                data[40] ^= 4
                (part / "data.bin").write_bytes(data)


@pytest.mark.parametrize("how", DAMAGES)
async def test_the_new_history_equals_the_one_before_whatever_became_of_that(
    settings: Settings, tmp_path: Path, before: dict[str, list[Any]], how: str
) -> None:
    folder = tmp_path / "history"
    async with opened_log(settings) as log:
        assert len(before["post_samples"]) == len(CHANNELS) * MINUTES * (MINUTES + 1) // 2
        damage(folder, how)
        left = sorted(path.name for path in folder.glob("*"))
        aside = await rebuilt(settings, log)
        assert stored(folder) == before
        if left:
            assert aside == f"folder {tmp_path / 'history.aside-now'}"
            kept = {path.name for path in (tmp_path / "history.aside-now").glob("*")}
            assert set(left) <= kept | {"status"}
        else:
            assert aside is None
        async with opened_history(settings) as history:
            assert await history.damage() == []


def asides(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("history.aside*")]


class Failing:
    """A process that is killed after so many insertions: nothing more of it happens."""

    def __init__(self, left: int) -> None:
        self.left = left

    def wrap(self, history: Any) -> None:
        insert = history.insert

        async def until(rows: Any) -> None:
            if self.left == 0:
                raise HistoryError("the process ended")
            self.left -= 1
            await insert(rows)

        history.insert = until


@pytest.mark.parametrize("insertions", [0, 5])
async def test_cut_short_it_goes_on_and_puts_nothing_aside_again(
    settings: Settings,
    tmp_path: Path,
    before: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    insertions: int,
) -> None:
    failing = Failing(insertions)

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Any]:
        async with opened_history(settings) as history:
            failing.wrap(history)
            yield history

    folder = tmp_path / "history"
    async with opened_log(settings) as log:
        rebuild = Rebuild(settings, log)
        assert await rebuild.look()
        await rebuild.begin("then")
        with monkeypatch.context() as patched:
            patched.setattr(rebuilding, "opened_history", opened)
            with pytest.raises(Failure, match="run it again to resume"):
                await rebuild.fill(lambda done, total: None)
        assert await rebuilt(settings, log) == "gone on"
        assert stored(folder) == before
        assert asides(tmp_path) == ["history.aside-then"]
        # It is finished: the next one is another.
        assert not any((await log.committed(REBUILDS)).values())
        assert await Rebuild(settings, log).look()


class Trimmed:
    """A log that has removed the first records."""

    def __init__(self, log: Log, removed: int) -> None:
        self._log = log
        self._removed = removed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        bounds = await self._log.bounds(topic)
        return {at: Bounds(min(self._removed, has.next), has.next) for at, has in bounds.items()}


async def test_it_knows_whether_history_goes_back_further_than_the_log(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened_log(settings) as log:
        whole = await Rebuild(settings, log).look()
        assert whole is not None
        assert not whole.is_short
        assert whole.log_ms == whole.history_ms == NOON_MS + CHANNELS[0] % 1000
        short: Any = Trimmed(log, 30)
        trimmed = await Rebuild(settings, short).look()
        assert trimmed is not None
        assert trimmed.is_short
        assert trimmed.removed > 30
        assert trimmed.log_ms is not None
        assert NOON_MS + MINUTE_MS <= trimmed.log_ms < NOON_MS + MINUTES * MINUTE_MS
    shutil.rmtree(tmp_path / "log")
    async with opened_log(settings) as log:
        replaced = await Rebuild(settings, log).look()
        assert replaced is not None
        assert (replaced.log_ms, replaced.is_short) == (None, True)


async def test_a_rebuild_that_another_start_has_finished_is_over(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened_log(settings) as log:
        rebuild = Rebuild(settings, log)
        assert await rebuild.look()
        await rebuild.begin("then")
        again = Rebuild(settings, log)
        assert await again.look() is None
        # As `up` would, and it knows nothing of a rebuild.
        await again.fill(lambda done, total: None)
        await log.commit(REBUILDS, rebuild._ends)
        assert await Rebuild(settings, log).look() is not None
        assert await log.committed(GROUP) == rebuild._ends


async def test_progress_is_told(settings: Settings) -> None:
    told: list[tuple[int, int]] = []
    async with opened_log(settings) as log:
        rebuild = Rebuild(settings, log)
        assert await rebuild.look()
        await rebuild.begin("now")
        read = await rebuild.fill(lambda done, total: told.append((done, total)))
        total = sum((await log.committed(GROUP)).values())
    assert read == total
    assert told[0] == (0, total)
    assert told == sorted(told)
