"""From a push by Telegram to the frame on a WebSocket: `python -m bench.push [--kafka]`.

Bias and setup: the whole system in one process and on one clock, with fsync: loopback Telegram,
Telethon, collector, log, agents, API; the WebSocket client shares that process's event loop, so
its own work is in the figures. One new post at a time, in a channel that has 100; the next one is
posted when the frame that tells of it has arrived. On Kafka the same process has all roles, and a
real broker on this machine is between them: the frame is told of when the transaction that made it
is committed, and shown, by the broker.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from statistics import quantiles

import websockets

from analyticbot.config import read_settings
from analyticbot.logs import set_up_logs
from analyticbot.process import started
from analyticbot.roles.collect import collect
from analyticbot.roles.serve import serve
from analyticbot.roles.work import work
from analyticbot.stores import opened_control, opened_history, opened_log
from bench.broker import open_broker
from clickhouse.history_reader import HistoryReader
from collect.account import Application
from control.store import Account
from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams.clock import SystemClock
from streams.ids import ChannelId
from streams.metrics import Metrics

CHANNEL = ChannelId(1_900_000_001)
USER = 777


async def measure(folder: Path, pushes: int, url: str | None) -> dict[str, float]:
    """Milliseconds from `post` to the frame. `url`: of the log, where it is not embedded."""
    own = {
        "ANALYTICBOT_DATA": str(folder),
        "ANALYTICBOT_PORT": "0",
        "ANALYTICBOT_SECRET_KEY": token_hex(32),
    }
    settings = read_settings(own | ({"ANALYTICBOT_LOG": url} if url else {}), folder)
    clock = SystemClock()
    world = World(clock)
    channel = world.add_channel(CHANNEL, "bench", "Bench")
    for _ in range(100):
        world.post(channel, "x" * 250)
    delays_ms: list[float] = []
    async with (
        LoopbackTelegram(world, strict=False) as telegram,
        opened_control(settings) as control,
        opened_log(settings) as log,
        opened_history(settings) as history,
        started(settings, log, clock, Metrics()) as process,
    ):
        await control.follow("bench", clock.now_ms())
        await control.accounts.put(Account(USER, telegram.session(USER).save(), clock.now_ms()))
        work(process, history)
        server = await serve(process, HistoryReader(history))
        collect(process, control, Application(telegram.api_id, telegram.api_hash))
        url = server.url.replace("http", "ws") + "/api/v1/live"
        async with websockets.connect(url, max_size=None) as socket:
            await _seen(socket, 100)
            for number in range(101, 101 + pushes):
                await asyncio.sleep(random.uniform(0.02, 0.12))
                began = time.perf_counter()
                world.post(channel, f"post {number}")
                await _seen(socket, number)
                delays_ms.append((time.perf_counter() - began) * 1000)
    cuts = quantiles(delays_ms, n=100)
    return {"push_to_frame_p50_ms": cuts[49], "push_to_frame_p99_ms": cuts[98]}


async def _seen(socket: websockets.ClientConnection, post_id: int) -> None:
    """Read frames until one tells the counters of the post."""
    async for frame in socket:
        if _tells(json.loads(frame), post_id):
            return


def _tells(frame: object, post_id: int) -> bool:
    """Whether `post_ids` anywhere in the frame holds the post."""
    if isinstance(frame, dict):
        ids = frame.get("post_ids")
        if isinstance(ids, list) and post_id in ids:
            return True
        return any(_tells(value, post_id) for value in frame.values())
    return isinstance(frame, list) and any(_tells(value, post_id) for value in frame)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.push")
    parser.add_argument("--pushes", type=int, default=300)
    parser.add_argument("--kafka", action="store_true", help="on a broker")
    chosen = parser.parse_args()
    set_up_logs("error")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = opened.enter_context(open_broker()).url if chosen.kafka else None
        figures = asyncio.run(measure(folder, chosen.pushes, url))
    for name, figure in figures.items():
        sys.stdout.write(f"{name:45} {figure:>15,.1f}\n")


if __name__ == "__main__":
    main()
