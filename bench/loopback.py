"""How fast the loopback Telegram is: from a happening in the world to Telethon's handler.

Both ends share one thread and one core, so each figure contains the client's work as well.
Nothing else runs in the process.

    python -m bench.loopback
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import quantiles
from typing import Any

from telethon import TelegramClient, events
from telethon.sessions import StringSession
from telethon.tl import functions, types

from loopback.mtproto.rsa_key import process_key
from loopback.telegram import LoopbackTelegram
from loopback.world.channel import WorldChannel
from loopback.world.world import World
from streams.clock import SystemClock

PUSHES = 500
CALLS = 300
BURST = 5000
USER_ID = 1


async def measure() -> dict[str, float]:
    """Figures by name; the unit ends the name."""
    figures = {"rsa_key_ms": timed(lambda: (process_key.cache_clear(), process_key()))}
    world = World(SystemClock())
    channel = world.add_channel(1, "bench", "Bench")
    async with LoopbackTelegram(world) as telegram:
        world.join(world.add_account(USER_ID), channel)
        fresh = telegram.point(StringSession())
        figures["connect_with_key_exchange_ms"] = await connect(telegram, fresh)
        figures["connect_ms"] = await connect(telegram, telegram.session(USER_ID))
        client = client_of(telegram, telegram.session(USER_ID))
        await client.connect()
        figures |= await pushes(client, world, channel)
        figures |= await calls(client)
        await client.disconnect()
    return figures


async def connect(telegram: LoopbackTelegram, session: Any) -> float:
    client = client_of(telegram, session)
    taken = await timed_async(client.connect)
    await client.disconnect()
    return taken


async def pushes(client: TelegramClient, world: World, channel: WorldChannel) -> dict[str, float]:
    arrived = asyncio.Event()
    seen, awaited = 0, 1

    async def take(update: Any) -> None:
        nonlocal seen
        if isinstance(update, types.UpdateNewChannelMessage):
            seen += 1
            if seen == awaited:
                arrived.set()

    client.add_event_handler(take, events.Raw())
    latencies = []
    for _ in range(PUSHES):
        seen = 0
        arrived.clear()
        started = time.perf_counter()
        world.post(channel, "x" * 250)
        await arrived.wait()
        latencies.append((time.perf_counter() - started) * 1000)
    percent = quantiles(latencies, n=100)
    seen, awaited = 0, BURST
    arrived.clear()
    started = time.perf_counter()
    for _ in range(BURST):
        world.post(channel, "x" * 250)
    await arrived.wait()
    rate = BURST / (time.perf_counter() - started)
    return {"push_p50_ms": percent[49], "push_p99_ms": percent[98], "burst_posts_per_s": rate}


async def calls(client: TelegramClient) -> dict[str, float]:
    peer = await client.get_input_entity("bench")
    ids = list(range(1, 101))

    async def views() -> None:
        for _ in range(CALLS):
            await client(functions.messages.GetMessagesViewsRequest(peer, ids, increment=False))

    async def history() -> None:
        await client.get_messages(peer, limit=2000)

    return {
        "views_of_100_ms": await timed_async(views) / CALLS,
        "history_posts_per_s": 2000 / (await timed_async(history) / 1000),
    }


def client_of(telegram: LoopbackTelegram, session: Any) -> TelegramClient:
    return TelegramClient(session, telegram.api_id, telegram.api_hash)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


async def timed_async(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    for name, value in asyncio.run(measure()).items():
        print(f"{name:32} {value:12.2f}")


if __name__ == "__main__":
    main()
