"""The tables of a worker: rows before, in and after a commit, and what a crash leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.clock import SystemClock
from streams.database import Database, Kind, Write
from streams.kafka.state import State
from streams.log import LogDamaged, LogInUse
from streams.units import DAY_MS


class SetClock(SystemClock):
    ms = 1_760_000_000_000

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "tables")
    yield state
    state.close()


def rows(state: State, task: int = 0, table: str = "posts") -> dict[bytes, bytes]:
    return dict(state.items(table, [task]))


def committed(state: State, task: int = 0, position: int = 1) -> None:
    state.freeze(task)
    state.settle(task, {"posts": position})


def test_a_row_is_there_before_it_is_committed(state: State) -> None:
    state.put(0, "posts", b"1", b"one")
    assert state.row(0, "posts", b"1") == b"one"
    state.freeze(0)
    assert state.row(0, "posts", b"1") == b"one"
    state.settle(0, {"posts": 7})
    assert state.row(0, "posts", b"1") == b"one"
    assert state.position(0, "posts") == 7


def test_what_is_put_while_a_commit_is_under_way_belongs_to_the_next(state: State) -> None:
    state.put(0, "posts", b"1", b"one")
    state.freeze(0)
    state.put(0, "posts", b"1", b"two")
    assert state.row(0, "posts", b"1") == b"two"
    state.settle(0, {"posts": 1})
    state.roll_back(0)
    assert state.row(0, "posts", b"1") == b"one"


def test_what_is_rolled_back_has_not_happened(state: State) -> None:
    state.put(0, "posts", b"1", b"one")
    committed(state)
    state.put(0, "posts", b"1", None)
    state.freeze(0)
    state.put(0, "posts", b"2", b"two")
    state.roll_back(0)
    assert rows(state) == {b"1": b"one"}
    assert state.position(0, "posts") == 1


def test_a_deleted_row_is_gone_at_every_stage(state: State) -> None:
    state.put(0, "posts", b"1", b"one")
    committed(state)
    state.put(0, "posts", b"1", None)
    assert state.row(0, "posts", b"1") is None
    assert rows(state) == {}
    committed(state, position=2)
    assert state.row(0, "posts", b"1") is None


def test_tables_and_tasks_do_not_mix(state: State) -> None:
    for task in (0, 255, 256):
        for table in ("posts", "channels"):
            state.put(task, table, b"1", f"{table} {task}".encode())
        committed(state, task)
    for task in (0, 255, 256):
        assert rows(state, task) == {b"1": f"posts {task}".encode()}
        assert rows(state, task, "channels") == {b"1": f"channels {task}".encode()}
    state.wipe(255, "posts")
    assert rows(state, 255) == {}
    assert state.position(255, "posts") is None
    assert rows(state, 256) == {b"1": b"posts 256"}


def test_a_row_put_before_is_seen_through_a_row_of_another_table(state: State) -> None:
    state.put(0, "posts", b"\xff\xff", b"last")
    state.put(0, "posts", b"", b"first")
    committed(state)
    assert rows(state) == {b"": b"first", b"\xff\xff": b"last"}


def test_a_crash_leaves_what_was_committed(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.put(0, "posts", b"1", b"one")
    committed(state, position=5)
    state.put(0, "posts", b"1", b"lost")
    state.freeze(0)
    state.close()
    again = State(tmp_path)
    assert again.row(0, "posts", b"1") == b"one"
    assert again.position(0, "posts") == 5
    assert again.warm(["posts"]) == {0}
    again.close()


def test_a_task_is_warm_when_all_of_its_tables_are_here(state: State) -> None:
    state.apply(3, "posts", [(b"1", b"one")], 9)
    assert state.warm(["posts"]) == {3}
    assert state.warm(["posts", "channels"]) == set()
    state.apply(3, "channels", [], 0)
    assert state.warm(["posts", "channels"]) == {3}
    assert state.warm([]) == set()


def test_a_changelog_is_applied_with_its_position(state: State) -> None:
    state.apply(0, "posts", [(b"1", b"one"), (b"2", b"two"), (b"1", None)], 3)
    assert rows(state) == {b"2": b"two"}
    assert state.position(0, "posts") == 3


def test_a_position_that_was_not_moved_for_a_week_is_not_gone_on_from(tmp_path: Path) -> None:
    clock = SetClock()
    state = State(tmp_path, clock=clock)
    state.apply(0, "posts", [(b"1", b"one")], 3)
    clock.ms += 6 * DAY_MS
    assert state.position(0, "posts") == 3
    clock.ms += 1
    assert state.position(0, "posts") is None
    state.close()


def test_two_workers_cannot_have_one_folder(tmp_path: Path) -> None:
    state = State(tmp_path)
    with pytest.raises(LogInUse, match="tables in"):
        State(tmp_path)
    state.close()


def test_tables_of_another_layout_are_refused(tmp_path: Path) -> None:
    database = Database(tmp_path, Kind("tables", "none"))
    write = Write()
    write.put(b"v", b"9")
    database.write(write)
    database.close()
    with pytest.raises(LogDamaged, match="move the folder away; they are rebuilt"):
        State(tmp_path)
