"""`analyticbot replay` in a process that kills itself with -9, and what such processes leave."""

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

from analyticbot.cli import main
from streams import topics
from streams.codec import decode_analytics
from streams.embedded.log import EmbeddedLog
from streams.kinds import upsert_key
from streams.log import Batch, Partition

KILLED = -signal.SIGKILL
PATIENCE_S = 180
#: The modules that a replay needs, so that a victim costs its work only. Not the engine of
#: history: it must not be loaded before a process is forked.
_LOADED = ["analyticbot.commands.replay", __name__]


def replay_until_killed(data: Path, recording: Path, after_s: float) -> int | None:
    """Run the command, and kill it so long after its beginning; the exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    process = context.Process(target=_victim, args=(data, recording, after_s))
    process.start()
    process.join(PATIENCE_S)
    code = process.exitcode
    # One that hangs would be waited for at the end of all tests.
    process.kill()
    process.join()
    return code


def _victim(data: Path, recording: Path, after_s: float) -> None:
    os.environ["ANALYTICBOT_DATA"] = str(data)
    killer = threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGKILL))
    killer.daemon = True
    killer.start()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        code = main(["replay", str(recording)])
    killer.cancel()
    raise SystemExit(code)


def moments(count: int, longest_s: float, seed: int) -> list[float]:
    """When to kill: anywhere in the work, and a few times right at its beginning."""
    chance = random.Random(seed)
    return [chance.uniform(0.02, longest_s) for _ in range(count)]


class Left(dict[str, Any]):
    """What a log holds: tables by key, newest upserts by key, and messages of each topic."""


def left_in(data: Path) -> Left:
    return asyncio.run(_left_in(data))


async def _left_in(data: Path) -> Left:
    log = await EmbeddedLog.open(data / "log")
    try:
        left = Left()
        for topic in _changelogs():
            rows: dict[bytes | None, bytes | None] = {}
            for batch in await _all(log, topic):
                rows.update((record.key, record.value) for record in batch.records)
            left[topic] = {key: value for key, value in rows.items() if value is not None}
        for topic in (topics.WINDOWS.name, topics.ALERTS.name):
            values = [
                record.value or b"" for batch in await _all(log, topic) for record in batch.records
            ]
            left[topic] = {upsert_key(decode_analytics(value)): value for value in values}
            left[f"{topic}: messages"] = len(values)
        updates = await _all(log, topics.UPDATES.name)
        left[topics.UPDATES.name] = [
            (batch.partition, record.offset, record.key, record.value)
            for batch in updates
            for record in batch.records
        ]
        return left
    finally:
        await log.close()


def _changelogs() -> list[str]:
    return [
        f"analyticbot-{table}-changelog" for table in ("channels", "posts", "shelves", "spikes")
    ]


async def _all(log: EmbeddedLog, topic: str) -> list[Batch]:
    """All that a topic holds now, in order, a partition after the other."""
    batches = []
    for partition, bounds in (await log.bounds(topic)).items():
        offset = bounds.first
        while offset < bounds.next and (records := await log.read(partition, offset, 1000)):
            batches.append(Batch(Partition(*partition), records))
            offset = records[-1].offset + 1
    return batches
