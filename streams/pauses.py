"""Pauses that grow while something is unavailable, and start again once it is available."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgspec

#: Each pause is shortened by up to this fraction, at random, so that waiters do not retry at the
#: same time.
JITTER = 0.5


class Pauses(msgspec.Struct):
    """Wall-clock pauses: at most `first_s`, then twice as long each time, at most `longest_s`."""

    first_s: float = 0.5
    longest_s: float = 30.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    #: From 0 to 1: how much of the jitter is taken off.
    random: Callable[[], float] = random.random
    _next_s: float = 0.0

    @property
    def next_s(self) -> float:
        """The longest that the next pause can be."""
        return self._next_s or self.first_s

    @property
    def waiting(self) -> bool:
        """Whether there was a pause since the last reset: this is the same outage."""
        return self._next_s > 0

    async def pause(self) -> None:
        longest_s = self.next_s
        self._next_s = min(longest_s * 2, self.longest_s)
        await self.sleep(longest_s * (1 - JITTER * self.random()))

    def reset(self) -> None:
        self._next_s = 0.0
