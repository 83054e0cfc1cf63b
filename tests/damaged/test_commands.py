"""Damage as a person meets it: what the commands say, and that they change nothing by it."""

import argparse
import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from analyticbot.commands import doctor
from analyticbot.config import read_settings
from tests.agents.history_told import stored
from tests.analyticbot.command import COMMAND, environment, run

POSTS = 3_000
DOCTOR = {"ANALYTICBOT_PORT": "0", "TELEGRAM_API_ID": "1", "TELEGRAM_API_HASH": "a"}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    rows = [
        {
            "channel": f"channel_{number % 7}",
            "message_id": number + 1,
            "date": f"2025-01-0{number % 5 + 1}T0{number % 9}:00:{number % 60:02}Z",
            "text": f"post {number}",
            "views": number,
            "sampled_at": f"2025-01-0{number % 5 + 1}T1{number % 9}:30:{number % 60:02}Z",
        }
        for number in range(POSTS)
    ]
    (folder / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return folder


@pytest.fixture(scope="module")
def replayed(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds all of the recording."""
    data = tmp_path_factory.mktemp("replayed")
    ended = run(data, "replay", str(recording))
    assert ended.returncode == 0, ended.stderr
    for channel in ("@durov", "@telegram"):
        assert run(data, "follow", channel).returncode == 0
    return data


@pytest.fixture
def data(replayed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(replayed, tmp_path / "data", symlinks=True))


@pytest.fixture(scope="module")
def before(replayed: Path) -> dict[str, list[Any]]:
    return stored(replayed / "history")


def test_replay_does_not_say_that_a_removed_history_holds_all_before_it_does(
    data: Path, recording: Path, before: dict[str, list[Any]]
) -> None:
    shutil.rmtree(data / "history")
    ended = run(data, "replay", str(recording))
    assert ended.returncode == 0, ended.stderr
    assert f"{POSTS} posts" in ended.stdout
    assert "nothing was written: all of it was in the log already" in ended.stdout
    assert "history_behind_log" in ended.stderr
    assert stored(data / "history") == before


def test_a_rebuild_that_is_killed_goes_on_when_it_is_run_again(
    data: Path, before: dict[str, list[Any]]
) -> None:
    with subprocess.Popen(
        [COMMAND, "rebuild", "history"],
        env=environment(data),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as rebuild:
        assert rebuild.stdout is not None
        assert rebuild.stdout.readline().startswith("put aside: folder ")
        rebuild.kill()
    assert rebuild.returncode == -signal.SIGKILL
    ended = run(data, "rebuild", "history")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("going on with the rebuild that was begun\n")
    assert ended.stdout.endswith(" messages of the log are in history\n")
    assert stored(data / "history") == before
    [aside] = data.glob("history.aside-*")
    assert stored(aside) == before


def test_a_rebuild_from_a_log_that_is_gone_asks_first(data: Path) -> None:
    shutil.rmtree(data / "log")
    ended = run(data, "rebuild", "history")
    assert ended.returncode == 1
    assert ended.stderr.startswith("analyticbot: the log holds no observations")
    assert "it goes back to 2025-01-01T" in ended.stderr
    assert ended.stderr.endswith("add --yes to continue\n")
    assert not list(data.glob("history.aside-*"))


def everything(folder: Path) -> dict[str, bytes]:
    """Every file, byte for byte."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def of_posts(data: Path) -> Path:
    """The largest part of the table of posts."""
    parts = (data / "history" / "data" / "analyticbot" / "posts").glob("all_*")
    return max(parts, key=lambda part: (part / "data.bin").stat().st_size)


def healthy(data: Path) -> None:
    """What it is as it was made."""


def without_current(data: Path) -> None:
    (data / "log" / "rocksdb" / "CURRENT").unlink()


def without_history(data: Path) -> None:
    shutil.rmtree(data / "history")


def without_table(data: Path) -> None:
    (data / "history" / "metadata" / "analyticbot" / "windows.sql").unlink()


def without_part(data: Path) -> None:
    shutil.rmtree(of_posts(data))


def with_a_flipped_bit(data: Path) -> None:
    file = of_posts(data) / "data.bin"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def without_control(data: Path) -> None:
    (data / "control.db").unlink()


def with_half_a_control(data: Path) -> None:
    content = (data / "control.db").read_bytes()
    (data / "control.db").write_bytes(content[:5000])


@pytest.mark.parametrize(
    ("damaged", "line"),
    [
        (healthy, ""),
        (without_current, "✗ log: log in DATA/log/rocksdb is damaged: its file CURRENT is missing"),
        (without_history, "✗ history: it is gone: the next start fills it from the log ("),
        (without_table, "✗ history: history in DATA/history is damaged: "),
        (without_part, "✗ history: table posts is damaged: "),
        (with_a_flipped_bit, "✗ history: table posts is damaged: part "),
        (without_control, "✗ control: control store: DATA/control.db is gone: restore it"),
        (with_half_a_control, "✗ control: DATA/control.db: "),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_doctor_finds_it_and_changes_nothing(
    data: Path,
    damaged: Callable[[Path], None],
    line: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damaged(data)
    before = everything(data)
    settings = read_settings({"ANALYTICBOT_DATA": str(data), **DOCTOR}, data)
    code = await doctor.run(argparse.Namespace(), settings)
    found = [each for each in capsys.readouterr().out.splitlines() if each[0] in "✓✗"]
    assert len(found) == 7
    wrong = [each for each in found if each.startswith("✗")]
    assert code == (1 if line else 0), wrong
    expected = line.replace("DATA", str(data))
    assert [each for each in wrong if each.startswith(expected)] == wrong
    assert bool(wrong) == bool(line)
    assert everything(data) == before


def test_doctor_makes_nothing(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "doctor", **DOCTOR)
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count("none yet") == 3
    assert not (tmp_path / "data").exists()


def test_a_log_that_lost_a_file_is_refused_by_every_command(data: Path, recording: Path) -> None:
    (data / "log" / "rocksdb" / "CURRENT").unlink()
    held = {path.name: path.read_bytes() for path in (data / "log" / "rocksdb").iterdir()}
    place = data / "log" / "rocksdb"
    for command in (["replay", str(recording)], ["rebuild", "history"]):
        ended = run(data, *command)
        assert ended.returncode == 1
        told = f"analyticbot: log in {place} is damaged: its file CURRENT is missing"
        assert ended.stderr.startswith(told)
        assert ended.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in (data / "log" / "rocksdb").iterdir()} == held
