"""Stops a consumer completely, which `AIOKafkaConsumer.stop` does not always do.

It cancels its fetches and awaits them (aiokafka 0.14.0, `Fetcher.close`). A failed fetch that waits
for its retry propagates the cancellation: `stop` then raises CancelledError although its caller was
not cancelled, and leaves connections open.
"""

import asyncio
from typing import Any


async def end(consumer: Any) -> None:
    """Stop an AIOKafkaConsumer and close its connections, even if this call is cancelled.

    Raises what `stop` raises.
    """
    await asyncio.shield(_end(consumer))


async def _end(consumer: Any) -> None:
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping})
    if stopping.cancelled():
        await consumer._client.close()
    else:
        stopping.result()
