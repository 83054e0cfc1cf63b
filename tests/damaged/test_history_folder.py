"""What may become of a history folder's files, and who is told: at the start, and when asked."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from api.checks import whole_check
from api.health import Health
from clickhouse.chdb import ChdbHistory, ChdbSettings
from clickhouse.history import HistoryDamaged, Insert
from streams.clock import Clock
from tests.agents.history_told import run_in
from tests.clickhouse.told import END_MS, NEWS, START_MS, tell
from tests.laws.history import gained, store, window
from tests.streams.sources.manual_clock import ManualClock

POSTS = {
    "channel_id": NEWS,
    "from_ms": START_MS,
    "to_ms": END_MS,
    "sort": "date",
    "after_place": 1e18,
    "after_post": 10**6,
    "limit": 5,
}
REMEDY = "`analyticbot rebuild history`"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history that was filled, and closed in order."""
    folder = tmp_path_factory.mktemp("filled") / "history"

    async def fill() -> None:
        async with opened(folder) as history:
            await tell(history)

    asyncio.run(fill())
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    shutil.copytree(filled, tmp_path / "history", symlinks=True)
    return tmp_path / "history"


@asynccontextmanager
async def opened(
    folder: Path, settings: ChdbSettings | None = None, clock: Clock | None = None
) -> AsyncIterator[ChdbHistory]:
    history = await ChdbHistory.open(folder, settings, clock)
    try:
        await history.migrate()
        yield history
    finally:
        await history.close()


def parts(folder: Path, table: str) -> list[Path]:
    return sorted((folder / "data" / "analyticbot" / table).glob("all_*"))


def held(folder: Path) -> dict[str, bytes]:
    """Every file but the engine's own lock, byte for byte."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "status")
    return {str(path): path.read_bytes() for path in files}


async def refused(folder: Path) -> str:
    """What is said; three times the same, and nothing is touched."""
    before = held(folder)
    told = set()
    for _ in range(3):
        with pytest.raises(HistoryDamaged) as raised:
            async with opened(folder):
                pass
        told.add(str(raised.value))
    assert held(folder) == before
    [line] = told
    assert "\n" not in line
    assert line.startswith(f"history in {folder} is damaged: ")
    assert "restore the folder from a backup, or run `analyticbot rebuild history`" in line
    return line


def lose(name: str) -> Callable[[Path], None]:
    def losing(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return losing


@pytest.mark.parametrize(
    ("damaged", "missing"),
    [
        (lose("metadata"), "metadata/analyticbot.sql"),
        (lose("metadata/analyticbot.sql"), "metadata/analyticbot.sql"),
        (lose("metadata/analyticbot/windows.sql"), "/windows.sql"),
        (lose("metadata/analyticbot/schema_migrations.sql"), "/schema_migrations.sql"),
    ],
    ids=["descriptions", "the database", "a table", "the ledger"],
)
async def test_a_history_without_descriptions_is_refused_and_not_made_anew(
    folder: Path, damaged: Callable[[Path], None], missing: str
) -> None:
    damaged(folder)
    line = await refused(folder)
    assert missing in line.split(" is missing:")[0]


async def test_a_history_from_before_there_was_a_book_is_not_made_anew_either(folder: Path) -> None:
    (folder / "analyticbot.book.json").unlink()
    lose("metadata")(folder)
    assert "does not describe them" in await refused(folder)


async def test_a_description_that_was_cut_is_named(folder: Path) -> None:
    description = folder / "metadata" / "analyticbot" / "windows.sql"
    os.truncate(description, 100)
    with pytest.raises(HistoryDamaged, match=r"windows\.sql is cut short: restore") as raised:
        async with opened(folder):
            pass
    assert "\n" not in str(raised.value)


async def test_a_table_that_is_gone_without_a_trace_is_missed(folder: Path) -> None:
    """By an operator's hand, or of an installation that had no book."""
    (folder / "analyticbot.book.json").unlink()
    lose("metadata/analyticbot/windows.sql")(folder)
    with pytest.raises(HistoryDamaged, match="it has no table windows: restore it"):
        async with opened(folder):
            pass


def cut(part: Path) -> None:
    os.truncate(part / "data.bin", 10)


@pytest.mark.parametrize("damage", [shutil.rmtree, cut], ids=["removed", "cut short"])
async def test_a_part_that_is_gone_is_told_at_every_start_until_it_is_rebuilt(
    folder: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    for part in parts(folder, "posts"):
        damage(part)
    for _ in range(3):
        caplog.clear()
        async with opened(folder) as history:
            [line] = await history.damage()
            assert line.startswith("table posts is damaged: 7 rows are gone (all_1_1_")
            assert REMEDY in line
            [told] = [each for each in caplog.records if each.message == "history_damaged"]
            assert (told.levelno, told.table) == (logging.ERROR, "posts")  # type: ignore[attr-defined]
            # The rest is as good as it was.
            assert (await history.ask("posts", POSTS)).rows == []
            assert (await history.ask("channels", {})).rows


async def test_what_is_gone_stays_gone_when_merges_close_the_gap(folder: Path) -> None:
    async with opened(folder) as history:
        for statement in ("SYSTEM STOP MERGES posts", "INSERT INTO posts SELECT * FROM posts"):
            history._writer.command(statement)
    shutil.rmtree(parts(folder, "posts")[0])
    async with opened(folder) as history:
        history._writer.command("INSERT INTO posts (channel_id, post_id) VALUES (1, 1)")
        history._writer.command("OPTIMIZE TABLE posts FINAL")
        assert len(await history.damage()) == 1
    async with opened(folder) as history:
        assert len(await history.damage()) == 1


async def test_an_operator_can_keep_what_is_left(folder: Path) -> None:
    shutil.rmtree(parts(folder, "posts")[0])
    async with opened(folder) as history:
        assert len(await history.damage()) == 1
    (folder / "analyticbot.book.json").unlink()
    async with opened(folder) as history:
        assert await history.damage() == []


async def test_merges_and_expired_rows_are_no_damage(folder: Path, tmp_path: Path) -> None:
    now = ManualClock(START_MS)
    async with opened(folder, ChdbSettings(book_s=0), now) as history:
        history._writer.command("INSERT INTO posts SELECT * FROM posts")
        history._writer.command("OPTIMIZE TABLE posts FINAL")
        assert await history.damage() == []
    samples = folder / "data" / "analyticbot" / "post_samples"
    for part in samples.glob("2025*"):
        shutil.rmtree(part)
    in_a_year = ManualClock(now.now_ms() + 3 * 366 * 86_400_000)
    async with opened(folder, clock=in_a_year) as history:
        assert await history.damage() == []


async def test_the_book_is_kept_while_it_runs(folder: Path) -> None:
    """So that a process that is killed leaves one that knows its newest parts."""
    async with opened(folder, ChdbSettings(book_s=0)) as history:
        await tell_more(history)
        left = folder.with_name("killed")
        shutil.copytree(folder, left, symlinks=True)
    [part] = [each for each in parts(left, "alerts") if each.name.startswith("all_2_2")]
    shutil.rmtree(part)
    async with opened(left) as history:
        assert [line.split(":")[0] for line in await history.damage()] == [
            "table alerts is damaged"
        ]


async def tell_more(history: ChdbHistory) -> None:
    columns: dict[str, list[Any]] = {
        "alert_id": ["another"], "channel_id": [NEWS], "type": ["spike"], "state": ["raised"],
        "raised_at": [START_MS], "observed": [1.0], "method": ["median"], "observed_at": [START_MS],
    }  # fmt: skip
    await history.insert(Insert("alerts", "more", columns))


async def test_a_flipped_bit_is_told_once_and_then_refused_at_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [part] = parts(folder, "posts")
    data = bytearray((part / "data.bin").read_bytes())
    data[40] ^= 4  # in the first block, which is of the key
    (part / "data.bin").write_bytes(data)
    async with opened(folder) as history:
        with pytest.raises(HistoryDamaged, match="Checksum doesn't match"):
            await history.ask("posts", POSTS)
        for query in ("posts", "overview", "post"):
            with pytest.raises(HistoryDamaged, match="table posts of history is damaged") as raised:
                await history.ask(query, POSTS)
            assert raised.value.__cause__ is None, "it was not asked again"
        assert (await history.ask("channels", {})).rows
        [line] = await history.damage()
        assert line.startswith("table posts is damaged: posts: Code: 40")
    told = [each for each in caplog.records if each.message == "history_damaged"]
    assert len(told) == 1


async def test_readiness_says_what_is_damaged_and_what_is_to_be_read_again(folder: Path) -> None:
    shutil.rmtree(parts(folder, "posts")[0])
    async with opened(folder) as history:
        health = Health()
        health.add("history_whole", whole_check(history))
        [reason] = health.reasons(await health.findings()).values()
        assert reason.startswith("table posts is damaged: 7 rows are gone")
    (folder / "analyticbot.book.json").unlink()
    async with opened(folder) as history:
        assert (await whole_check(history)()).ready
        behind = await whole_check(history, lambda: 12)()
        assert behind == (False, "filled again from the log: 12 messages to go")


async def test_a_new_history_is_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(tmp_path / "new") as history:
        assert await history.damage() == []
    run_in(tmp_path / "new", "SELECT 1")
    assert not caplog.records


async def test_what_is_repeated_after_a_restart_is_rolled_up_once(tmp_path: Path) -> None:
    """The first start migrates, and must name blocks as all later ones do."""
    for _ in range(3):
        async with opened(tmp_path / "new") as history:
            await store(history, window("a", 0, 10))
            for resolution in ("minutes", "hourly", "daily"):
                assert await gained(history, resolution) == [10], resolution
