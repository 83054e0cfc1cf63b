"""The live socket's fan-out: `python -m bench.live [--clients N] [--rate N] [--seconds N]`.

Bias and setup: server and log (with fsync, in a temporary folder) in one process, all clients in
a second one on the same machine; each message is one channel summary padded to `--bytes`; every
client gets every message. Latency is from the call of `append` to the client's having the frame,
by one monotonic clock: durability, fold, encoding, sockets and the client's own parsing.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from api.app import build
from api.live_feed import Live
from api.server import Server
from api.settings import Settings
from clickhouse.reader import Reader
from streams import kinds
from streams.analytics import ChannelSummary
from streams.clock import SystemClock
from streams.codec import encode
from streams.embedded.log import EmbeddedLog
from streams.ids import ChannelId
from streams.log import Draft
from streams.metrics import Metrics
from streams.topics import WINDOWS, channel_key


async def listen(url: str, delays_ms: list[float], ready: asyncio.Semaphore) -> None:
    async with connect(url, compression=None, max_size=None) as socket:
        await socket.recv()
        ready.release()
        async for text in socket:
            now_ns = time.monotonic_ns()
            frame = json.loads(text)
            if frame["type"] == "changes":
                sent_ns = int(frame["data"][-1]["value"]["title"].partition(" ")[0])
                delays_ms.append((now_ns - sent_ns) / 1e6)


async def listen_all(url: str, clients: int, pipe: Connection) -> None:
    """All clients; tells the parent when they are connected and, when it is told, what it saw."""
    delays_ms: list[float] = []
    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(listen(url, delays_ms, ready)) for _ in range(clients)]
    for _ in tasks:
        await ready.acquire()
    pipe.send("ready")
    await asyncio.to_thread(pipe.recv)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    pipe.send(delays_ms)


def listen_apart(url: str, clients: int, pipe: Connection) -> None:
    asyncio.run(listen_all(url, clients, pipe))


async def push(log: EmbeddedLog, options: argparse.Namespace) -> None:
    channel = ChannelId(1)
    start = time.monotonic()
    for number in range(options.rate * options.seconds):
        await asyncio.sleep(start + number / options.rate - time.monotonic())
        title = f"{time.monotonic_ns()} ".ljust(options.bytes, "x")
        message = ChannelSummary(channel_id=channel, observed_at_ms=number, title=title)
        draft = Draft(WINDOWS.name, channel_key(channel), encode(message), number)
        await log.append([draft])
    await asyncio.sleep(0.5)


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    log = await EmbeddedLog.open(folder)
    for topic in kinds.TOPICS:
        await log.create(topic, 4)
    metrics, clock, settings = Metrics(), SystemClock(), Settings(port=0)
    live = Live(log, clock, metrics)
    nobody: Reader = None  # type: ignore[assignment]
    app = build(nobody, live, log, clock, metrics, settings)
    server = Server(app, live, settings, metrics, clock)
    await live.start()
    await server.start()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    url = server.url.replace("http", "ws", 1) + "/api/v1/live"
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=listen_apart, args=(url, options.clients, theirs))
    process.start()
    await asyncio.to_thread(ours.recv)
    cpu_s, started = time.process_time(), time.monotonic()
    await push(log, options)
    cpu_s, took_s = time.process_time() - cpu_s, time.monotonic() - started
    ours.send("stop")
    delays_ms = sorted(await asyncio.to_thread(ours.recv))
    await asyncio.to_thread(process.join)
    await server.stop()
    await log.close()
    return figures(options, delays_ms, took_s, cpu_s)


def figures(
    options: argparse.Namespace, delays_ms: list[float], took_s: float, cpu_s: float
) -> dict[str, Any]:
    def at(share: float) -> float:
        return round(delays_ms[int(share * (len(delays_ms) - 1))], 1)

    return {
        "clients": options.clients,
        "messages_per_s": options.rate,
        "bytes": options.bytes,
        "deliveries": len(delays_ms),
        "deliveries_per_s": round(len(delays_ms) / took_s),
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "server_cpu_percent": round(100 * cpu_s / took_s),
        "server_max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=int, default=20, help="messages a second")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--bytes", type=int, default=700, help="of a message's text")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(asyncio.run(measure(options, Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
