"""Assigns tasks to the workers of a group: balanced, with few moves, standbys where tables are.

Pure: the group's leader computes it from the members' claims, and any member would compute the
same.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from streams.context import Task


class Claim(NamedTuple):
    """What a member reports when it joins."""

    #: The generation in which it got `owned`; -1 for a new member.
    generation: int
    owned: Collection[Task]
    #: Tasks whose tables it has on its disk.
    warm: Collection[Task]


class TaskAssignment(NamedTuple):
    """The tasks of a member."""

    active: tuple[Task, ...]
    standby: tuple[Task, ...]


def assign_tasks(
    tasks: int, claims: Mapping[str, Claim], standbys: int
) -> dict[str, TaskAssignment]:
    """An assignment for every member. Every task is active at exactly one member.

    The members' numbers of active tasks differ by at most one. Owners keep their tasks as far as
    that allows; a task that moves goes to a member with its tables, if there is room. Each task has
    `standbys` standbys, or one per other member if there are fewer.
    """
    active = _kept(tasks, claims)
    placed = {task for numbers in active.values() for task in numbers}
    for task in (task for task in range(tasks) if task not in placed):
        roomy = _with_room(tasks, active)
        member = min(roomy, key=lambda name: (task not in claims[name].warm, len(active[name])))
        active[member].append(task)
    standby = _standbys(active, claims, standbys)
    return {
        name: TaskAssignment(tuple(sorted(active[name])), tuple(standby[name])) for name in active
    }


def _kept(tasks: int, claims: Mapping[str, Claim]) -> dict[str, list[Task]]:
    """The tasks that members keep: no more than their part."""
    owned = _owned(tasks, claims)
    part, extra = divmod(tasks, len(claims))
    kept: dict[str, list[Task]] = {}
    # The largest owners come first, so that those with one more task keep it.
    for name in sorted(claims, key=lambda name: (-len(owned[name]), name)):
        most = part + (extra > 0)
        kept[name] = owned[name][:most]
        extra -= len(kept[name]) > part
    return kept


def _owned(tasks: int, claims: Mapping[str, Claim]) -> dict[str, list[Task]]:
    """If two claim a task, the claim of the newer generation wins: the other one was away."""
    owner: dict[Task, str] = {}
    for name in sorted(claims, key=lambda name: (claims[name].generation, name)):
        owner.update(dict.fromkeys(claims[name].owned, name))
    owned: dict[str, list[Task]] = {name: [] for name in claims}
    for task, name in sorted(owner.items()):
        if task < tasks:
            owned[name].append(task)
    return owned


def _with_room(tasks: int, active: Mapping[str, list[Task]]) -> list[str]:
    part, extra = divmod(tasks, len(active))
    fuller = sum(len(numbers) > part for numbers in active.values())
    most = part + (fuller < extra)
    return sorted(name for name, numbers in active.items() if len(numbers) < most)


def _standbys(
    active: Mapping[str, list[Task]], claims: Mapping[str, Claim], standbys: int
) -> dict[str, list[Task]]:
    standby: dict[str, list[Task]] = {name: [] for name in active}
    for task, owner in sorted((task, name) for name, numbers in active.items() for task in numbers):
        others = [name for name in standby if name != owner]
        others.sort(key=lambda name: (task not in claims[name].warm, len(standby[name]), name))
        for name in others[:standbys]:
            standby[name].append(task)
    return standby
