"""One folder, two processes."""

import subprocess
import sys
from pathlib import Path

import pytest

HOLDER = """
import asyncio, sys
from pathlib import Path
from clickhouse.chdb import ChdbHistory

async def hold():
    history = await ChdbHistory.open(Path(sys.argv[1]))
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    if sys.argv[2] == "close":
        await history.close()

asyncio.run(hold())
"""


def holder(folder: Path, end: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    return process


SECOND = """
import asyncio, sys
from pathlib import Path
from clickhouse.chdb import ChdbHistory
from clickhouse.history import HistoryInUse

async def second():
    try:
        await ChdbHistory.open(Path(sys.argv[1]))
    except HistoryInUse as error:
        print(error)

asyncio.run(second())
"""


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with holder(tmp_path / "history", "close") as first:
        second = subprocess.run(
            [sys.executable, "-c", SECOND, str(tmp_path / "history")],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent.parent.parent,
        )
        expected = f"history folder {tmp_path / 'history'} is in use by process {first.pid}\n"
        assert second.stdout == expected
        first.communicate()
    assert first.returncode == 0


@pytest.mark.parametrize("end", ["close", "leave"])
def test_a_process_ends_in_order_with_and_without_closing(tmp_path: Path, end: str) -> None:
    with holder(tmp_path / "history", end) as process:
        process.communicate()
    assert process.returncode == 0


def test_a_killed_process_leaves_the_folder_free(tmp_path: Path) -> None:
    with holder(tmp_path / "history", "close") as process:
        process.kill()
    with holder(tmp_path / "history", "close") as process:
        process.communicate()
    assert process.returncode == 0
