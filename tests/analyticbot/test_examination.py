"""What `doctor` says of a control store while another process writes to it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from analyticbot import examination
from analyticbot.config import Settings, read_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"ANALYTICBOT_DATA": str(tmp_path)})


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "control.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, content BLOB)")
        fill(writer)
        yield writer


def fill(writer: sqlite3.Connection) -> None:
    """As a checkpoint and what comes after it: pages of the file itself, then of the log."""
    for _ in range(2):
        writer.execute("DELETE FROM rows")
        writer.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
            " INSERT INTO rows (content) SELECT randomblob(abs(random()) % 3000) FROM n"
        )
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.execute("INSERT INTO rows (id, content) VALUES (900000, randomblob(9000))")


def disturbing(times: int, writer: sqlite3.Connection) -> Callable[..., Any]:
    """Copies a file; after so many of the database itself, the writer goes on."""
    left = times

    def copy2(source: Path, target: Path) -> None:
        nonlocal left
        shutil.copyfile(source, target)
        if source.suffix == ".db" and left:
            left -= 1
            fill(writer)

    return copy2


async def test_a_store_that_changes_while_it_is_copied_is_copied_again(
    settings: Settings, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination.shutil, "copy2", disturbing(3, writer))
    assert await examination.examine_control(settings) == (True, "")


async def test_a_store_that_never_stands_still_is_said_to_be_unchecked(
    settings: Settings, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination.shutil, "copy2", disturbing(1_000, writer))
    found = await examination.examine_control(settings)
    assert found.right
    assert found.says.startswith("not checked: ")


async def test_a_damaged_store_is_found(
    settings: Settings, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "control.db").open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 4096)
    found = await examination.examine_control(settings)
    assert not found.right
    assert found.says.endswith("restore it from a backup")
