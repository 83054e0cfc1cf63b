"""Observations that are appended at a pace, while faults happen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from streams.log import Draft, Log
from tests.faults.waiting import until

#: How often a second something is appended.
_TURNS = 20


class Load:
    """Appends at `rate` messages a second; while the log is away, what is due waits."""

    def __init__(self, log: Log, drafts: Sequence[Draft], rate: float) -> None:
        self._log = log
        self._drafts = drafts
        self._rate = rate
        self.appended = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.appended < len(self._drafts):
            due = round((loop.time() - began) * self._rate)
            part = self._drafts[self.appended : min(due, self.appended + 500)]
            if part:
                await self._log.append(part)
                self.appended += len(part)
            else:
                await asyncio.sleep(1 / _TURNS)

    async def reached(self, share: float, patience_s: float = 120) -> None:
        """Returns when this share of all is in the log."""
        wanted = share * len(self._drafts)
        await until(lambda: self.appended >= wanted, patience_s, f"{share:.0%} of the load")


@asynccontextmanager
async def loading(log: Log, drafts: Sequence[Draft], rate: float) -> AsyncIterator[Load]:
    """All of it is in the log when the block is left in order."""
    load = Load(log, drafts, rate)
    running = asyncio.create_task(load.run())
    try:
        yield load
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
