"""A clock that a test moves."""

import asyncio


class ManualClock:
    speed = 1.0

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep_ms(self, duration_ms: float) -> None:
        awake = asyncio.Event()
        sleeper = (self._now_ms + duration_ms, awake)
        if duration_ms <= 0:
            await asyncio.sleep(0)
            return
        self._sleepers.append(sleeper)
        try:
            await awake.wait()
        finally:
            self._sleepers.remove(sleeper)

    def advance(self, duration_ms: int) -> None:
        self._now_ms += duration_ms
        for due_ms, awake in self._sleepers:
            if due_ms <= self._now_ms:
                awake.set()
