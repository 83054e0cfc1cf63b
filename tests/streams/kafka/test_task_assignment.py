"""Tasks among workers: balanced, with few moves, where their tables are."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.task_assignment import Claim, TaskAssignment, assign_tasks

NEW = Claim(-1, (), ())

numbers = st.sets(st.integers(0, 15))
claims = st.builds(Claim, st.integers(-1, 5), numbers, numbers)
groups = st.dictionaries(st.sampled_from("abcdefg"), claims, min_size=1)


def claimed(given: Mapping[str, TaskAssignment], generation: int = 1) -> dict[str, Claim]:
    """What members say that have these shares."""
    return {
        name: Claim(generation, assignment.active, (*assignment.active, *assignment.standby))
        for name, assignment in given.items()
    }


def owner_of(given: Mapping[str, TaskAssignment]) -> dict[int, str]:
    return {task: name for name, assignment in given.items() for task in assignment.active}


@given(st.integers(1, 16), groups, st.integers(0, 3))
def test_every_task_is_active_once_and_the_load_is_even(
    tasks: int, group: Mapping[str, Claim], standbys: int
) -> None:
    given = assign_tasks(tasks, group, standbys)
    assert given.keys() == group.keys()
    assert sorted(task for assignment in given.values() for task in assignment.active) == [
        *range(tasks)
    ]
    sizes = [len(assignment.active) for assignment in given.values()]
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 16), groups, st.integers(0, 3))
def test_every_task_has_its_standbys_elsewhere(
    tasks: int, group: Mapping[str, Claim], standbys: int
) -> None:
    given = assign_tasks(tasks, group, standbys)
    for name, assignment in given.items():
        assert not set(assignment.active) & set(assignment.standby), name
    for task in range(tasks):
        keeping = sum(task in assignment.standby for assignment in given.values())
        assert keeping == min(standbys, len(group) - 1)


@given(st.integers(1, 16), groups)
def test_what_is_even_already_stays(tasks: int, group: Mapping[str, Claim]) -> None:
    given = assign_tasks(tasks, group, 1)
    assert {
        name: assignment.active
        for name, assignment in assign_tasks(tasks, claimed(given), 1).items()
    } == {name: assignment.active for name, assignment in given.items()}


@given(st.integers(1, 16), groups)
def test_one_that_joins_takes_only_its_part(tasks: int, group: Mapping[str, Claim]) -> None:
    before = assign_tasks(tasks, group, 1)
    after = assign_tasks(tasks, {**claimed(before), "new": NEW}, 1)
    was, now = owner_of(before), owner_of(after)
    moved = {task for task in range(tasks) if was[task] != now[task]}
    assert {now[task] for task in moved} <= {"new"}
    assert len(moved) == len(after["new"].active)


@given(st.integers(1, 16), groups.filter(lambda group: len(group) > 1))
def test_when_one_dies_only_its_tasks_move(tasks: int, group: Mapping[str, Claim]) -> None:
    before = assign_tasks(tasks, group, 1)
    dead = min(before)
    after = assign_tasks(tasks, {n: c for n, c in claimed(before).items() if n != dead}, 1)
    for name, assignment in after.items():
        assert set(before[name].active) <= set(assignment.active)


def test_a_task_moves_to_where_its_tables_are() -> None:
    group = {"a": NEW, "b": Claim(3, (0, 1), (0, 1, 2)), "c": NEW}
    assert owner_of(assign_tasks(3, group, 0))[2] != "b"
    roomy = {"a": NEW, "b": Claim(3, (0,), (0, 3))}
    assert assign_tasks(4, roomy, 0)["b"].active == (0, 3)


def test_of_two_that_claim_a_task_the_newer_generation_has_it() -> None:
    given = assign_tasks(2, {"zombie": Claim(3, (0, 1), ()), "present": Claim(4, (0,), ())}, 0)
    assert given["present"].active == (0,)
    assert given["zombie"].active == (1,)


def test_a_task_that_is_no_more_is_forgotten() -> None:
    assert assign_tasks(1, {"a": Claim(1, (0, 5), (5,))}, 1) == {"a": TaskAssignment((0,), ())}


def test_more_workers_than_tasks_leave_some_with_standbys_only() -> None:
    given = assign_tasks(1, {"a": NEW, "b": NEW, "c": NEW}, 1)
    assert sorted(len(assignment.active) for assignment in given.values()) == [0, 0, 1]
    assert sum(len(assignment.standby) for assignment in given.values()) == 1
