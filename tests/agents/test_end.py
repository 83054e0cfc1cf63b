import subprocess
import sys
from pathlib import Path


def test_a_worker_that_cannot_go_on_ends_with_one_clear_line_and_exit_1(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.agents.poisoned", str(tmp_path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(
        "analyticbot: the pipeline stopped: 100 of the last 100 messages of telegram.updates "
        "cannot be processed (broken_bytes 100)"
    )
