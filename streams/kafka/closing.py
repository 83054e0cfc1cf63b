"""The end of a consumer, which its own `stop` does not always reach.

A consumer cancels the fetches that it has under way and awaits them (aiokafka 0.14.0,
`Fetcher.close`). One that has failed and waits to be tried again passes the cancellation on: `stop`
then raises CancelledError at whoever awaits it, whom nobody has cancelled, and leaves its
connections open.
"""

import asyncio
from typing import Any


async def end(consumer: Any) -> None:
    """Stop an AIOKafkaConsumer and close its connections, also where awaiting this is cancelled.

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
