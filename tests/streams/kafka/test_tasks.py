"""Commits of tasks that end by a cancellation: by whom says what becomes of the task."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.kafka.state import State
from streams.kafka.task import Task
from streams.kafka.tasks import Tasks, TaskSettings
from streams.kafka.transaction import Transactions
from streams.log import Partition
from streams.metrics import Metrics

CHANGELOGS = {"posts": "posts-changelog"}
READ = {0: {Partition("telegram.updates", 0): 7}}


class Waiting(Transactions):
    """Its broker does not answer until the test lets the client cancel what it waits for."""

    def __init__(self) -> None:
        super().__init__({}, "group", 0, 1.0)
        self.committing = asyncio.Event()
        self.answer: asyncio.Future[dict[Partition, int]] = asyncio.Future()

    async def commit(self, outgoing: Any, offsets: Any) -> dict[Partition, int]:
        self.committing.set()
        return await self.answer


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path)
    yield state
    state.close()


def made(state: State, transactions: Transactions) -> Tasks:
    """One task, that has put a row."""
    metrics = Metrics()
    task = Task(0, transactions, state, CHANGELOGS, metrics)
    task.put("posts", b"1", b"one")
    settings = TaskSettings(client={}, group="group")
    return Tasks(settings, state, CHANGELOGS, metrics, {0: task})


async def test_a_commit_that_nobody_here_has_cancelled_loses_its_task(state: State) -> None:
    transactions = Waiting()
    tasks = made(state, transactions)
    committing = asyncio.create_task(tasks.commit(READ))
    await transactions.committing.wait()
    transactions.answer.cancel()
    assert await committing == {0}
    assert tasks.owned == {}
    assert state.row(0, "posts", b"1") is None


async def test_a_task_that_is_given_up_meanwhile_is_not_lost(state: State) -> None:
    transactions = Waiting()
    tasks = made(state, transactions)
    committing = asyncio.create_task(tasks.commit(READ))
    await transactions.committing.wait()
    await tasks.give_up_all()
    assert await committing == set()
    assert tasks.owned == {}
