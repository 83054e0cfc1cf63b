"""A clock that a test moves."""

import asyncio
from collections.abc import Coroutine


class ManualClock:
    speed = 1.0

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now_ms(self) -> int:
        return self._now_ms

    def sleep_ms(self, duration_ms: float) -> Coroutine[None, None, None]:
        """Counts from this call, not from when it is awaited: a test may advance in between."""
        return self._sleep(self._now_ms + duration_ms)

    async def _sleep(self, due_ms: float) -> None:
        if due_ms <= self._now_ms:
            await asyncio.sleep(0)
            return
        awake = asyncio.Event()
        self._sleepers.append((due_ms, awake))
        try:
            await awake.wait()
        finally:
            self._sleepers.remove((due_ms, awake))

    def advance(self, duration_ms: int) -> None:
        self._now_ms += duration_ms
        for due_ms, awake in self._sleepers:
            if due_ms <= self._now_ms:
                awake.set()
