"""Tasks that could not be taken over: the worker ends and says so, for it would stand still."""

import asyncio
from pathlib import Path
from typing import Any

from agents.app import build
from agents.engine.worker import WorkerSettings
from streams.metrics import Metrics
from tests.faults.harness import stage
from tests.faults.sizes import PARTITIONS
from tests.kafka.cluster import Cluster


async def test_a_cancellation_by_nobody_here(broker: Cluster, tmp_path: Path) -> None:
    ended: asyncio.Future[Exception] = asyncio.Future()
    async with stage(broker.url, tmp_path) as on:
        settings = WorkerSettings(
            broker=on.url, partitions=PARTITIONS, group=on.group, tables=tmp_path / "tables"
        )
        app = build(settings, Metrics(), ended.set_result)
        transport: Any = app.transport

        async def take_over(*_: Any) -> None:
            raise asyncio.CancelledError

        app.finalize()
        transport.tasks.take_over = take_over
        await app.maybe_start()
        assert "was cancelled, and not by this worker" in str(await ended)
        await app.stop()
