"""Pauses that grow while something is away, and start again once it is back."""

import asyncio

import msgspec


class Pauses(msgspec.Struct):
    """Wall-clock pauses: `first_s`, then twice as long each time, at most `longest_s`."""

    first_s: float = 0.5
    longest_s: float = 30.0
    _next_s: float = 0.0

    @property
    def next_s(self) -> float:
        """How long the next pause is."""
        return self._next_s or self.first_s

    @property
    def waiting(self) -> bool:
        """Whether there was a pause since the last reset: this is the same outage."""
        return self._next_s > 0

    async def pause(self) -> None:
        duration_s = self.next_s
        self._next_s = min(duration_s * 2, self.longest_s)
        await asyncio.sleep(duration_s)

    def reset(self) -> None:
        self._next_s = 0.0
