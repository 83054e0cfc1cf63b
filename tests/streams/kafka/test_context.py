"""The context of a worker that has lost a task."""

from pathlib import Path

from streams.faust.kafka.context import KafkaContext
from streams.kafka.state import State


def test_what_messages_of_a_lost_task_make_goes_nowhere(tmp_path: Path) -> None:
    state = State(tmp_path)
    filled: list[bool] = []
    context = KafkaContext(
        {}, lambda: state, lambda key: 0, lambda: filled.append(True), lambda: True
    )
    context.send(0, "analytics.windows", b"1", b"window", 1, {})
    context.put(0, "channels", b"1", b"row", 1)
    assert context.row(0, "channels", b"1") is None
    assert filled == []
    state.close()
