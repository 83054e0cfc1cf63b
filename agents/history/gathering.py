"""Collects records of the log into batches that are large enough for an insertion."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from agents.history.batch import HistoryBatch, Keeping
from streams.log import Batch


async def gathered(
    stream: AsyncIterator[Batch],
    rows: int,
    wait_s: float,
    keeping: Keeping | None = None,
) -> AsyncGenerator[HistoryBatch, None]:
    """Batches of at least `rows` rows, or of the records within `wait_s` of the first.

    While the caller works on a batch, at most one more group of records is read: this is the
    back-pressure on the log. Closing the iterator closes `stream`.
    """
    loop = asyncio.get_running_loop()
    coming: asyncio.Task[Batch] | None = None
    try:
        while True:
            batch = HistoryBatch(keeping)
            until: float | None = None
            while len(batch) < rows and not batch.full:
                coming = coming or asyncio.ensure_future(_next(stream))
                timeout = None if until is None else max(until - loop.time(), 0)
                await asyncio.wait({coming}, timeout=timeout)
                if not coming.done():
                    break
                done, coming = coming, None
                batch.take(done.result())
                until = until or loop.time() + wait_s
            yield batch
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


async def _next(stream: AsyncIterator[Batch]) -> Batch:
    return await anext(stream)
