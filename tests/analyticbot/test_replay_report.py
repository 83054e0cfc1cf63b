"""What `analyticbot replay` says at its end, for one and for several."""

from pathlib import Path

import pytest

from analyticbot.arrival import Arrived
from analyticbot.replay_report import of_moved, of_recording
from streams.recording import Recording
from streams.sources.moved_log import Moved
from streams.sources.replay import Replayed, Rows


@pytest.mark.parametrize(
    ("messages", "already", "says"),
    [
        (1, 0, ["1 message of that log is in history"]),
        (
            3,
            1,
            [
                "3 messages of that log are in history",
                "1 of them was in the log already, of a replay before",
            ],
        ),
        (
            3,
            2,
            [
                "3 messages of that log are in history",
                "2 of them were in the log already, of a replay before",
            ],
        ),
    ],
)
def test_a_log_that_was_moved(messages: int, already: int, says: list[str]) -> None:
    assert list(of_moved(Moved(messages, messages, already))) == says


def test_one_of_each(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z"}\n'
        '{"channel": "somebody", "message_id": "none", "date": "2025-01-01T00:00:00Z"}\n'
    )
    recording = Recording(tmp_path)
    assert len(list(recording.posts())) == 1
    arrived = Arrived(Rows(posts=1, samples=1), {"future_date": 1}, None, 1, 1)
    first, again, dead, late, file, what, *_ = of_recording(
        recording, Replayed(2, "", 2, 1), arrived
    )
    assert first == "1 post, 1 sample of counters and 0 of subscribers are in history"
    assert again == "1 of 2 messages was in the log already, of a replay before"
    assert dead == "1 dead letter came of it: future_date 1"
    assert late.startswith("late: 1 message and 1 sample of counters are older than")
    assert file == "posts.jsonl: 2 rows read, 1 taken, 1 refused"
    assert what.startswith("  1 row refused: message_id ")
