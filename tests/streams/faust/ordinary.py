"""An agent as Faust's documentation shows it: it sets a table and sends, and waits in between.

Nothing of it knows on which log it runs. A victim is a process that runs it until it kills itself.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import faust

from streams.faust.embedded.transport import register_transport as register_embedded
from streams.faust.kafka.transport import register_transport as register_kafka

PARTITIONS = 4
PATIENCE_S = 60


class Order(faust.Record, serializer="json"):
    customer: str
    amount: int


class Names:
    """Topics, and a group, that nobody else uses."""

    def __init__(self, app: str) -> None:
        self.app = app
        self.orders = f"{app}-orders"
        self.totals = f"{app}-totals"
        self.changelog = f"{app}-rows-changelog"


def app_on(url: str, folder: Path, name: str) -> faust.App:
    """An app without an agent."""
    register_embedded()
    register_kafka()
    folder.mkdir(exist_ok=True)
    return faust.App(
        name,
        broker=url,
        datadir=str(folder / "faust"),
        topic_partitions=PARTITIONS,
        web_enabled=False,
        stream_wait_empty=False,
        stream_recovery_delay=0,
    )


def made(url: str, folder: Path, names: Names) -> faust.App:
    app = app_on(url, folder, names.app)
    orders = app.topic(names.orders, key_type=str, value_type=Order)
    totals = app.topic(names.totals, key_type=str, value_type=Order)
    rows: Any = app.Table("rows", default=int, partitions=PARTITIONS)

    @app.agent(orders)
    async def add(stream: Any) -> None:
        async for order in stream:
            rows[order.customer] += order.amount
            # Whatever a body waits for, a commit may come in between.
            await asyncio.sleep(0.001)
            total = Order(order.customer, rows[order.customer])
            await totals.send(key=order.customer, value=total)
            add.processed += 1

    add.processed = 0
    return app


@asynccontextmanager
async def running(app: faust.App) -> AsyncIterator[faust.App]:
    app.finalize()
    starting = asyncio.create_task(app.start())
    try:
        yield app
    finally:
        await app.stop()
        await starting


def run_victim(url: str, folder: Path, names: Names, messages: int) -> int | None:
    """Run it until it has processed so many messages and kills itself; the exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_die, args=(url, folder, names.app, messages))
    process.start()
    process.join(PATIENCE_S)
    code = process.exitcode
    process.kill()
    process.join()
    return code


def _die(url: str, folder: Path, app: str, messages: int) -> None:
    asyncio.run(_work(url, folder, Names(app), messages))


async def _work(url: str, folder: Path, names: Names, messages: int) -> None:
    async with running(made(url, folder, names)) as app:
        [agent] = app.agents.values()
        while agent.processed < messages:  # noqa: ASYNC110 - the agent has no event
            await asyncio.sleep(0.0003)
        os.kill(os.getpid(), signal.SIGKILL)
