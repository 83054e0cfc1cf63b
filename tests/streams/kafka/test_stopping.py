"""A worker that stops: what the group hands out until it has left is for others."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agents.app import build
from agents.engine.worker import WorkerSettings
from streams.kafka.task_assignment import TaskAssignment
from streams.metrics import Metrics


async def test_nothing_is_taken_over_while_it_stops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "streams.kafka")
    faults: list[Exception] = []
    settings = WorkerSettings(broker="kafka://127.0.0.1:9", tables=tmp_path)
    app = build(settings, Metrics(), faults.append)
    consumer: Any = app.consumer
    leave = consumer._member.leave

    async def hands_out_before_it_is_left() -> None:
        consumer._member._got(TaskAssignment((0, 1), ()))
        await asyncio.sleep(0)
        await leave()

    consumer._member.leave = hands_out_before_it_is_left
    await consumer.stop()
    assert faults == []
    assert [record for record in caplog.records if record.message == "tasks_assigned"] == []
