"""The desk of a worker that has lost a task."""

from pathlib import Path

from streams.kafka.desk import KafkaDesk
from streams.kafka.state import State


def test_what_messages_of_a_lost_task_make_goes_nowhere(tmp_path: Path) -> None:
    state = State(tmp_path)
    filled: list[bool] = []
    desk = KafkaDesk({}, lambda: state, lambda key: 0, lambda: filled.append(True))
    desk.send(0, "analytics.windows", b"1", b"window", 1, {})
    desk.put(0, "channels", b"1", b"row", 1)
    assert desk.row(0, "channels", b"1") is None
    assert filled == []
    state.close()
