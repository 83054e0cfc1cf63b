"""kill -9 of the whole process, again and again: state, outputs and history equal to the digit."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from tests.agents.history_told import stored
from tests.system.replaying import KILLED, left_in, moments, replay_until_killed

RECORDING = Path(__file__).parents[2] / "loopback" / "recording"
#: Longer than any replay of this recording takes.
NEVER_S = 10_000.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The shipped one, and a channel of which a post takes off."""
    folder = tmp_path / "recording"
    shutil.copytree(RECORDING, folder)
    zstd = (folder / "view_samples.jsonl.zst").read_bytes()
    (folder / "view_samples.jsonl.zst").unlink()
    rows = zstandard.ZstdDecompressor().stream_reader(zstd).read()
    (folder / "view_samples.jsonl").write_bytes(rows + "".join(take_off()).encode())
    return folder


def take_off() -> Iterator[str]:
    """A view sample a minute: 10 a minute, then 500, then 10 again."""
    start, views = datetime(2023, 1, 1, tzinfo=UTC), 100
    for minute in range(70):
        views += 500 if 45 <= minute < 48 else 10
        at = (start + timedelta(minutes=minute)).isoformat()
        row = {"channel": "hykilp", "message_id": 1529, "sampled_at": at, "views": views}
        yield json.dumps(row) + "\n"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [7, pytest.param(20, marks=pytest.mark.chaos)])
def test_kills_leave_what_a_run_without_faults_leaves(
    tmp_path: Path, recording: Path, kills: int
) -> None:
    assert replay_until_killed(tmp_path / "whole", recording, NEVER_S) == 0
    killed = 0
    for after_s in moments(3 * kills, longest_s=1.6, seed=20):
        killed += replay_until_killed(tmp_path / "killed", recording, after_s) == KILLED
        if killed == kills:
            break
    assert killed == kills
    assert replay_until_killed(tmp_path / "killed", recording, NEVER_S) == 0

    whole, after_kills = left_in(tmp_path / "whole"), left_in(tmp_path / "killed")
    assert after_kills.keys() == whole.keys()
    for name, expected in whole.items():
        assert expected, f"{name} is empty"
        assert after_kills[name] == expected, name
    history = stored(tmp_path / "whole" / "history")
    assert stored(tmp_path / "killed" / "history") == history
    assert len(history["posts"]) == 9_843
