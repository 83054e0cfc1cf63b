import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from control.migrating import read_migrations
from control.sql import open_control
from control.store import ControlError, ControlStore, ControlUnavailable
from control.tables import METADATA
from tests.control.keys import KEY
from tests.laws.control import ControlLaws, DurableControlLaws, Opener
from tests.patience import PATIENCE_S


class TestSqliteFile(DurableControlLaws):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        async def open_() -> ControlStore:
            store = open_control(f"sqlite:///{tmp_path}/new/folder/control.sqlite", KEY)
            await store.migrate()
            return store

        return open_


class TestSqliteInMemory(ControlLaws):
    @pytest.fixture
    def opener(self) -> Opener:
        async def open_() -> ControlStore:
            store = open_control("sqlite:///:memory:", KEY)
            await store.migrate()
            return store

        return open_


async def test_the_migrated_schema_is_what_queries_expect(tmp_path: Path) -> None:
    store = open_control(f"sqlite:///{tmp_path}/migrated.sqlite")
    await store.migrate()
    await store.close()
    declared = create_engine(f"sqlite:///{tmp_path}/declared.sqlite")
    METADATA.create_all(declared)
    migrated = inspect(create_engine(f"sqlite:///{tmp_path}/migrated.sqlite"))
    expected = inspect(declared)
    assert migrated.get_table_names() == sorted([*expected.get_table_names(), "migrations"])
    for table in expected.get_table_names():
        assert migrated.get_indexes(table) == expected.get_indexes(table)
        assert [str(column) for column in migrated.get_columns(table)] == [
            str(column) for column in expected.get_columns(table)
        ]


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [migration.number for migration in read_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_it_writes_ahead_and_waits_for_others(tmp_path: Path) -> None:
    path = tmp_path / "control.sqlite"
    store = open_control(f"sqlite:///{path}")
    await store.migrate()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    await store.close()


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.sqlite"
    store = open_control(f"sqlite:///{path}")
    await store.migrate()
    with sqlite3.connect(path) as newer:
        newer.execute("INSERT INTO migrations VALUES (999, 'later')")
    newer.close()
    with pytest.raises(ControlError, match="newer version"):
        await store.migrate()
    await store.close()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "control.sqlite").write_text("not a database at all, but long enough" * 40)
    store = open_control(f"sqlite:///{tmp_path}/control.sqlite")
    with pytest.raises(ControlUnavailable, match="file is not a database"):
        await store.migrate()
    await store.close()


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlUnavailable, match=r"cannot open .*: File exists"):
        open_control(f"sqlite:///{tmp_path}/file/control.sqlite")
    with pytest.raises(ControlUnavailable, match=r"cannot open .*: Is a directory"):
        open_control(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "is unknown"),
        ("mysql://host/db", "mysql is unknown"),
        ("control.sqlite", "is unknown"),
        ("sqlite://control.sqlite", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///a?mode=ro", "names no file"),
    ],
)
def test_a_wrong_url_is_refused_at_once(url: str, reason: str) -> None:
    with pytest.raises(ControlError, match=reason):
        open_control(url)


async def test_calls_that_are_cancelled_twice_end(tmp_path: Path) -> None:
    store = open_control(f"sqlite:///{tmp_path}/control.sqlite")
    await store.migrate()
    for turns in range(40):
        call = asyncio.create_task(store.follow("durov", 1))
        for _ in range(turns):
            await asyncio.sleep(0)
        while not call.done():
            call.cancel()
            await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=PATIENCE_S)
        assert all(other.done() for other in others)
    assert [one.reference for one in await store.followed()] in ([], ["durov"])
    await store.close()
