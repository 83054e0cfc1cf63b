"""An installation moves: what operators set, and the log, as the operator's guide says."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from streams.embedded.log import EmbeddedLog
from tests.analyticbot.command import run
from tests.control.copying import content, fill
from tests.deploy.compose import ROOT

FROM_MS, TO_MS, MINUTE_MS = 1_735_689_600_000, 1_735_693_200_000, 60_000
#: What was observed and what was decided of it.
QUESTIONS = (
    ("stored", None),
    ("channels", None),
    ("views", "rbc_news", FROM_MS, TO_MS, MINUTE_MS),
    ("growth", "rbc_news", FROM_MS, TO_MS, MINUTE_MS),
    ("curve", "rbc_news", 3),
)


def answers(data: Path, questions: Sequence[tuple[Any, ...]] = QUESTIONS) -> Any:
    """In a process of its own: the engine has one folder a process."""
    command = [sys.executable, "-m", "tests.asked_of_history", f"chdb://{data / 'history'}"]
    asked = msgspec.json.encode(questions)
    done = subprocess.run(command, input=asked, capture_output=True, cwd=ROOT, check=True)
    return msgspec.json.decode(done.stdout)


def recording(folder: Path) -> Path:
    """Short, with every kind of row."""
    folder.mkdir()
    shutil.copy(ROOT / "loopback/recording/channels.jsonl", folder)
    rows = (
        f'{{"channel": "rbc_news", "message_id": {1 + i % 5}, "sampled_at": '
        f'"2025-01-01T00:{i:02}:00Z", "views": {i * i}}}\n'
        for i in range(60)
    )
    (folder / "view_samples.jsonl").write_text("".join(rows))
    (folder / "subscriber_samples.jsonl").write_text(
        '{"channel": "rbc_news", "sampled_at": "2025-01-01T00:00:00Z", "subscribers": 5}\n'
    )
    return folder


def test_the_log_moves_with_all_that_was_decided_of_it(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    replayed = run(old, "replay", str(recording(tmp_path / "recording")))
    assert replayed.returncode == 0, replayed.stderr
    first, second = (run(new, "replay", str(old / "log")) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert "messages of that log are in history" in first.stdout
    assert "nothing was written" in second.stdout
    moved = answers(new)
    assert moved == answers(old)
    stored, _, (points, _), *_ = moved
    assert stored[0]["view_samples"] == 60
    assert sum(point["views_gained"] or 0 for point in points) > 1000


async def test_a_log_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log")
    refused = await asyncio.to_thread(run, tmp_path / "new", "replay", str(tmp_path / "log"))
    await log.close()
    assert refused.returncode == 1
    assert refused.stderr.startswith("analyticbot: ")
    assert "in use by process" in refused.stderr


def test_a_log_is_not_moved_into_itself(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    refused = run(tmp_path, "replay", str(tmp_path / "log"))
    assert refused.returncode == 2
    assert "source and destination are the same log" in refused.stderr


def test_what_is_no_log_and_no_recording_is_told(tmp_path: Path) -> None:
    wrong = run(tmp_path, "replay", "kafka://")
    assert wrong.returncode == 2
    assert "is not a broker" in wrong.stderr
    itself = run(
        tmp_path, "replay", "kafka://two:9092", ANALYTICBOT_LOG="kafka://one:9092,two:9092"
    )
    assert itself.returncode == 2
    assert "source and destination are the same log" in itself.stderr


def test_what_operators_set_moves(tmp_path: Path) -> None:
    old, new = (f"sqlite:///{tmp_path / name / 'control.db'}" for name in ("old", "new"))
    asyncio.run(fill(old))
    moved = run(tmp_path / "new", "migrate", "--control-from", old)
    assert moved.returncode == 0, moved.stderr
    assert "2 followed" in moved.stdout
    assert asyncio.run(content(new))["accounts"] == asyncio.run(content(old))["accounts"]


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path / 'missing.db'}"
    refused = run(tmp_path / "new", "migrate", "--control-from", missing)
    assert refused.returncode == 1
    assert refused.stderr == f"analyticbot: control store: no such file: {missing[10:]}\n"
