"""kill -9 of the whole process, twenty times: state, outputs and history equal to the digit."""

from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from tests.agents.history_told import stored
from tests.system.replaying import KILLED, left_in, moments, replay_until_killed

RECORDING = Path(__file__).parents[2] / "streams" / "loopback" / "recording"
KILLS = 20
#: Longer than any replay of this recording takes.
NEVER_S = 10_000.0


@pytest.mark.timeout(900)
def test_twenty_kills_leave_what_a_run_without_faults_leaves(tmp_path: Path) -> None:
    assert replay_until_killed(tmp_path / "whole", RECORDING, NEVER_S) == 0
    killed = 0
    for after_s in moments(3 * KILLS, longest_s=1.6, seed=20):
        killed += replay_until_killed(tmp_path / "killed", RECORDING, after_s) == KILLED
        if killed == KILLS:
            break
    assert killed == KILLS
    assert replay_until_killed(tmp_path / "killed", RECORDING, NEVER_S) == 0

    whole, after_kills = left_in(tmp_path / "whole"), left_in(tmp_path / "killed")
    assert after_kills.keys() == whole.keys()
    for name, expected in whole.items():
        assert expected, f"{name} is empty"
        assert after_kills[name] == expected, name
    history = stored(tmp_path / "whole" / "history")
    assert stored(tmp_path / "killed" / "history") == history
    assert len(history["posts"]) == 9_843
