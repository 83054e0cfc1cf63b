"""Back-pressure: a bounded number of bytes that are accepted and not yet durable."""

import asyncio
from collections import deque

from streams.log import LogError


class ByteBudget:
    """First come, first served. Called from one event loop only."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit = limit_bytes
        self.taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size: int) -> None:
        """Waits for `size` bytes and takes them. More than the whole budget waits for all of it."""
        if not self._waiting and self._fits(size):
            self.taken += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(size)
            raise

    def force(self, size: int) -> None:
        """Takes `size` bytes immediately, for callers that cannot wait; they call `ebb` later."""
        self.taken += size

    def leave(self, size: int) -> None:
        self.taken -= size
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
            elif self._fits(wanted):
                self._waiting.popleft()
                self.taken += wanted
                turn.set_result(None)
            else:
                return

    async def ebb(self) -> None:
        """Waits until no more than the limit is taken."""
        if self.taken > self.limit:
            await self.enter(0)

    def fail(self, error: LogError) -> None:
        """Raises `error` in all waiters."""
        while self._waiting:
            _, turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(type(error)(*error.args))

    def _fits(self, size: int) -> bool:
        return self.taken + size <= self.limit or self.taken == 0
