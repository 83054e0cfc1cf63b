"""No folder of a demo stays behind, and none is taken from a demo that lives."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from analyticbot.demo_folder import LOCK, PREFIX, demo_folder, remove_abandoned

#: What a demo does with its folder: it writes into it until it ends, however that is.
CHILD = """
import os, sys
from pathlib import Path
from analyticbot.demo_folder import demo_folder
with demo_folder(Path(sys.argv[1])) as folder:
    (folder / "log").mkdir()
    (folder / "log" / "000004.log").write_text("rows")
    print(folder, flush=True)
    how = sys.stdin.readline().strip()
    if how == "exit":
        os._exit(1)
    if how == "fail":
        raise OSError("it crashed")
"""


@contextmanager
def child(parent: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def end(process: "subprocess.Popen[str]", how: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{how}\n")
    process.stdin.flush()
    process.wait()


@pytest.mark.parametrize("how", ["return", "fail"])
def test_it_is_removed_at_the_end(tmp_path: Path, how: str) -> None:
    with child(tmp_path) as (process, folder):
        assert folder.name.startswith(f"{PREFIX}{process.pid}-")
        assert (folder / LOCK).exists()
        end(process, how)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["exit", "kill -9"])
def test_what_an_end_without_order_leaves_the_next_one_removes(tmp_path: Path, how: str) -> None:
    with child(tmp_path) as (process, left):
        if how == "exit":
            end(process, "exit")
        else:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert (left / "log").exists()
    with demo_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_living_process_stays_also_while_it_stands_still(tmp_path: Path) -> None:
    with child(tmp_path) as (process, used):
        process.send_signal(signal.SIGSTOP)
        with demo_folder(tmp_path):
            remove_abandoned(tmp_path)
            assert (used / "log" / "000004.log").read_text() == "rows"
        process.send_signal(signal.SIGCONT)
        end(process, "return")
    assert list(tmp_path.iterdir()) == []


def test_what_no_demo_made_stays(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / LOCK).touch()
    (tmp_path / f"{PREFIX}1-link").symlink_to(target)
    (tmp_path / f"{PREFIX}1-file").touch()
    (tmp_path / f"{PREFIX}1-notes").mkdir()
    (tmp_path / f"{PREFIX}1-notes" / "todo").write_text("mine")
    (tmp_path / "analyticbot-abc").mkdir()
    before = sorted(tmp_path.rglob("*"))
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_one_that_was_just_made_and_has_no_lock_yet_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another demo starts between the making of a folder and of its lock."""
    make, made = tempfile.mkdtemp, list[str]()

    def raced(**options: str) -> str:
        made.append(make(**options))
        if len(made) == 1:
            remove_abandoned(tmp_path)
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", raced)
    with demo_folder(tmp_path) as folder:
        assert made[1:] == [str(folder)]
        assert list(tmp_path.iterdir()) == [folder]


def test_many_that_start_at_once_take_nothing_from_each_other(tmp_path: Path) -> None:
    def use() -> None:
        for _ in range(20):
            with demo_folder(tmp_path) as folder:
                (folder / "file").write_text("rows")
                assert (folder / "file").read_text() == "rows"

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(use) for _ in range(8)]:
            done.result()
    assert list(tmp_path.iterdir()) == []
