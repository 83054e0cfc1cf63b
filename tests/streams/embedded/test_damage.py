"""What is stored and is not what was written: a torn tail is cut off, all else is refused."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.database import Database, Write
from streams.embedded import rows
from streams.embedded.log import EmbeddedLog
from streams.log import Draft, LogDamaged, LogError, Partition
from streams.topics import Topic
from tests.laws.log import numbers

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
    database = Database(folder / "rocksdb")
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
    database = Database(folder / "rocksdb")
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


async def test_another_database_is_no_log(tmp_path: Path) -> None:
    database = Database(tmp_path / "rocksdb")
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
