"""kill -9 of the history agent, again and again: history equals that of a run without faults."""

import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from tests.agents.history_told import minute_of_messages, opened_log, stored

MINUTES = 40
KILLS = 5
ROOT = Path(__file__).parent.parent.parent


def victim(log: Path, history: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.agents.history_victim", str(log), str(history)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def run_to_the_end(log: Path, history: Path) -> None:
    with victim(log, history) as process:
        process.communicate()
    assert process.returncode == 0


def killed(log: Path, history: Path, after_s: float) -> bool:
    """Kill it some time after it has begun to work; True when it had not ended by itself."""
    with victim(log, history) as process:
        assert process.stdout is not None
        process.stdout.readline()
        killer = threading.Timer(after_s, process.kill)
        killer.start()
        process.wait()
        killer.cancel()
    return process.returncode == -9


async def test_history_after_kills_equals_history_without(tmp_path: Path) -> None:
    log = await opened_log(tmp_path / "log")
    for minute in range(MINUTES):
        await log.append(minute_of_messages(minute))
    await log.close()
    shutil.copytree(tmp_path / "log", tmp_path / "log-of-the-killed")
    run_to_the_end(tmp_path / "log", tmp_path / "history")

    moments = random.Random(7)
    kills = 0
    for _ in range(4 * KILLS):
        after_s = moments.uniform(0.01, 0.6)
        kills += killed(tmp_path / "log-of-the-killed", tmp_path / "history-of-the-killed", after_s)
        if kills == KILLS:
            break
    run_to_the_end(tmp_path / "log-of-the-killed", tmp_path / "history-of-the-killed")

    assert kills > 0
    expected = stored(tmp_path / "history")
    assert stored(tmp_path / "history-of-the-killed") == expected
    assert len(expected["windows"]) == 8 * MINUTES
