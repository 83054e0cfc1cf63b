"""What is stored and is not what was written: a torn tail is cut off, all else is refused."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.folder import KIND
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import Settings
from streams.log import Draft, LogDamaged, LogError, Partition
from streams.topics import Topic
from tests.laws.log import numbers, until

TOPIC = Topic("t")
HERE = Partition("t", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


async def written(folder: Path, count: int = 5) -> None:
    """`count` batches of two records each."""
    log = await EmbeddedLog.open(folder)
    await log.create(TOPIC, 1)
    for n in range(count):
        await log.append([Draft("t", b"k", b"%d" % m, m) for m in (2 * n, 2 * n + 1)])
    await log.close()


def change(folder: Path, key: bytes, changed: Callable[[bytes], bytes]) -> None:
    database = Database(folder / "rocksdb", KIND)
    row = database.get(key)
    assert row is not None
    write = Write()
    write.put(key, changed(row))
    database.write(write)
    database.close()


def flip(at: int) -> Callable[[bytes], bytes]:
    def changed(row: bytes) -> bytes:
        place = at % len(row)
        return row[:place] + bytes([row[place] ^ 0x40]) + row[place + 1 :]

    return changed


LAST = rows.batch_key(0, 0, 9)
MIDDLE = rows.batch_key(0, 0, 5)


@pytest.mark.parametrize("changed", [flip(-1), flip(3), lambda row: row[:-4], lambda row: row[:2]])
async def test_a_torn_tail_is_cut_off_with_a_warning(
    folder: Path, changed: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    await written(folder)
    change(folder, LAST, changed)
    with caplog.at_level(logging.WARNING):
        log = await EmbeddedLog.open(folder)
    assert [record.message for record in caplog.records] == ["torn_tail_cut_off"]
    assert numbers(await log.read(HERE, 0, 100)) == list(range(8))
    await log.close()


async def test_offsets_that_were_cut_off_are_not_given_again(folder: Path) -> None:
    await written(folder)
    change(folder, LAST, flip(-1))
    log = await EmbeddedLog.open(folder)
    batches = log.subscribe(["t"], {HERE: 7})
    assert await log.append([Draft("t", b"k", b"10", 1)]) == [(HERE, 10)]
    await log.close()
    log = await EmbeddedLog.open(folder)
    assert numbers(await log.read(HERE, 0, 100)) == [*range(8), 10]
    batches = log.subscribe(["t"], {HERE: 8})
    assert numbers((await anext(batches)).records) == [10]
    await log.close()


async def test_only_one_batch_is_ever_cut_off(folder: Path) -> None:
    await written(folder)
    change(folder, LAST, flip(-1))
    change(folder, rows.batch_key(0, 0, 7), flip(-1))
    log = await EmbeddedLog.open(folder)
    with pytest.raises(LogDamaged, match="checksum"):
        await log.read(HERE, 6, 10)
    await log.close()


@pytest.mark.parametrize("changed", [flip(-1), flip(3), lambda row: row[:-4]])
async def test_damage_in_the_middle_is_refused_when_it_is_read(
    folder: Path, changed: Callable[[bytes], bytes]
) -> None:
    await written(folder)
    change(folder, MIDDLE, changed)
    log = await EmbeddedLog.open(folder)
    with pytest.raises(LogDamaged) as raised:
        await log.read(HERE, 0, 100)
    assert "\n" not in str(raised.value)
    assert numbers(await log.read(HERE, 6, 100)) == [6, 7, 8, 9]
    await log.close()


async def test_a_batch_in_anothers_place_is_damage(folder: Path) -> None:
    await written(folder)
    database = Database(folder / "rocksdb", KIND)
    other = database.get(rows.batch_key(0, 0, 3)) or b""
    database.close()
    change(folder, MIDDLE, lambda _: other)
    log = await EmbeddedLog.open(folder)
    with pytest.raises(LogDamaged):
        await log.read(HERE, 4, 100)
    await log.close()


@pytest.mark.parametrize("key", [LAST, MIDDLE])
async def test_an_unknown_version_is_refused_and_never_cut_off(folder: Path, key: bytes) -> None:
    await written(folder)
    change(folder, key, lambda row: b"\x07" + row[1:])
    with pytest.raises(LogDamaged, match="version 7, this program reads 1"):
        log = await EmbeddedLog.open(folder)
        try:
            await log.read(HERE, 0, 100)
        finally:
            await log.close()


@pytest.mark.parametrize("key", [rows.LAYOUT_KEY, rows.topic_key("t"), rows.partition_key(0, 0)])
async def test_damage_to_the_books_is_refused_at_once(folder: Path, key: bytes) -> None:
    await written(folder)
    change(folder, key, flip(-1))
    with pytest.raises(LogDamaged):
        await EmbeddedLog.open(folder)


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*"])
async def test_a_corrupt_rocksdb_is_refused_in_one_line(folder: Path, name: str) -> None:
    await written(folder)
    for file in (folder / "rocksdb").glob(name):
        file.write_bytes(b"\x00garbage\xff" * 20)
    with pytest.raises(LogError) as raised:
        await EmbeddedLog.open(folder)
    assert isinstance(raised.value, LogDamaged), raised.value
    assert "\n" not in str(raised.value)


def held(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, byte for byte."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lose(pattern: str) -> Callable[[Path], None]:
    def losing(folder: Path) -> None:
        for file in (folder / "rocksdb").glob(pattern):
            file.unlink()

    return losing


def cut(pattern: str, end: int) -> Callable[[Path], None]:
    """The last so many bytes are gone."""

    def cutting(folder: Path) -> None:
        for file in (folder / "rocksdb").glob(pattern):
            os.truncate(file, file.stat().st_size - end)

    return cutting


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        (lose("CURRENT"), "its file CURRENT is missing"),
        (lose("[CMO]*"), "its file CURRENT is missing"),
        (lose("*"), "its file CURRENT is missing"),
        (lambda folder: shutil.rmtree(folder / "rocksdb"), "its file CURRENT is missing"),
        (lose("MANIFEST-*"), "No such file"),
        (lose("*.sst"), "No such file"),
        (cut("*.sst", 100), "file size mismatch"),
    ],
    ids=[
        *("current", "descriptions", "all files", "the folder", "manifest"),
        *("tables", "end of a table"),
    ],
)
async def test_what_lost_a_part_is_refused_for_good_and_not_touched(
    folder: Path, damaged: Callable[[Path], None], said: str
) -> None:
    await written(folder)
    log = await EmbeddedLog.open(folder)  # what was written is in a table of RocksDB from now on
    await log.append([Draft("t", b"k", b"10", 10)])
    await log.close()
    damaged(folder)
    (folder / "pid").write_text("17\n")
    before = held(folder)
    for _ in range(3):
        with pytest.raises(LogDamaged) as raised:
            await EmbeddedLog.open(folder)
        told = str(raised.value)
        assert said in told
        assert told.startswith(f"log in {folder / 'rocksdb'} is damaged: ")
        assert told.endswith("from a backup, or move it away to begin with an empty log")
        assert "\n" not in told
        assert held(folder) == before


async def test_a_description_cut_short_anywhere_is_refused_or_loses_nothing(folder: Path) -> None:
    """RocksDB itself goes on with what the shorter description knows, and deletes the rest."""
    await written(folder)
    [manifest] = (folder / "rocksdb").glob("MANIFEST-*")
    outcomes = set()
    for end in range(1, manifest.stat().st_size, 23):
        shutil.rmtree(folder.with_name("cut"), ignore_errors=True)
        shutil.copytree(folder, left := folder.with_name("cut"))
        cut("MANIFEST-*", end)(left)
        before = held(left)
        try:
            log = await EmbeddedLog.open(left)
        except LogDamaged as error:
            assert held(left) == before
            outcomes.add("changes are missing" if "changes are" in str(error) else "refused")
        else:
            assert numbers(await log.read(HERE, 0, 100)) == list(range(10))
            await log.close()
            outcomes.add("whole")
    assert "whole" in outcomes
    assert len(outcomes) > 1


async def killed(folder: Path) -> Path:
    """What lies on the disk of a log that is in use; how far it has come is noted."""
    log = await EmbeddedLog.open(folder, Settings(upkeep_interval_ms=5))
    await log.create(TOPIC, 1)
    await log.append([Draft("t", b"k", b"1", 1)])

    async def noted() -> bool:
        return (folder / "made").exists() and int((folder / "made").read_text()) > 3

    await until(noted)
    left = folder.with_name("killed")
    shutil.copytree(folder, left)
    await log.close()
    return left


async def test_a_log_that_was_killed_has_all_that_is_noted(folder: Path) -> None:
    log = await EmbeddedLog.open(await killed(folder))
    assert numbers(await log.read(HERE, 0, 100)) == [1]
    await log.close()


async def test_an_operator_can_go_on_with_what_is_left(folder: Path) -> None:
    left = await killed(folder)
    lose("*.log")(left)
    for _ in range(2):
        with pytest.raises(LogDamaged, match="changes are missing") as raised:
            await EmbeddedLog.open(left)
        assert f"remove {left / 'made'})" in str(raised.value)
    (left / "made").unlink()
    log = await EmbeddedLog.open(left)
    assert await log.partitions("t") == []
    await log.close()


async def test_a_making_that_was_cut_short_is_made_again(folder: Path) -> None:
    database = folder / "rocksdb"
    database.mkdir(parents=True)
    for name in ("LOCK", "LOG", "IDENTITY", "MANIFEST-000001", "000001.dbtmp"):
        (database / name).write_bytes(b"")
    await written(folder)


async def test_a_log_from_before_there_were_markers_gets_one(folder: Path) -> None:
    await written(folder)
    (folder / "made").unlink()
    log = await EmbeddedLog.open(folder)
    assert numbers(await log.read(HERE, 0, 100)) == list(range(10))
    await log.close()
    assert int((folder / "made").read_text()) > 0


async def test_another_database_is_no_log(tmp_path: Path) -> None:
    database = Database(tmp_path / "rocksdb", KIND)
    write = Write()
    write.put(b"something", b"else")
    database.write(write)
    database.close()
    with pytest.raises(LogDamaged, match="not a log"):
        await EmbeddedLog.open(tmp_path)


async def test_a_refused_log_can_be_opened_after_it_was_put_right(folder: Path) -> None:
    await written(folder)
    change(folder, rows.partition_key(0, 0), flip(-1))
    with pytest.raises(LogDamaged):
        await EmbeddedLog.open(folder)
    change(folder, rows.partition_key(0, 0), flip(-1))
    log = await EmbeddedLog.open(folder)
    assert numbers(await log.read(HERE, 0, 100)) == list(range(10))
    await log.close()
