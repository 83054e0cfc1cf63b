"""Clocks, to be passed in: the machine's, a corrected one, a fast one.

Times are integers of milliseconds since 1970 UTC; every name ends in the unit (``…_ms``).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol


class Clock(Protocol):
    """A source of time. `sleep_ms` sleeps in this clock's time."""

    #: Seconds of this clock per second of the wall clock.
    speed: float

    def now_ms(self) -> int: ...

    async def sleep_ms(self, duration_ms: float) -> None: ...


def uptime_s() -> float:
    """Seconds of a clock that nobody sets and that continues while the machine sleeps.

    Linux leaves the time of a suspension out of CLOCK_MONOTONIC, and so out of time.monotonic and
    the event loop's timers; CLOCK_BOOTTIME has it. Elsewhere (macOS) CLOCK_MONOTONIC has it.
    """
    return time.clock_gettime(_UPTIME)


_UPTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's clock."""

    speed = 1.0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep_ms(self, duration_ms: float) -> None:
        await asyncio.sleep(max(duration_ms, 0) / 1000)


class CorrectedClock:
    """Another clock with a correction, which callers that know better set."""

    def __init__(self, clock: Clock) -> None:
        self.speed = clock.speed
        #: Added to the other clock's time: positive if that clock is behind.
        self.offset_ms = 0
        self._clock = clock

    def now_ms(self) -> int:
        return self._clock.now_ms() + self.offset_ms

    def at_least(self, offset_ms: int) -> None:
        """Set a lower bound of the true offset; the correction changes only as far as needed."""
        self.offset_ms = max(self.offset_ms, offset_ms)

    def at_most(self, offset_ms: int) -> None:
        """Set an upper bound of the true offset."""
        self.offset_ms = min(self.offset_ms, offset_ms)

    def sleep_ms(self, duration_ms: float) -> Coroutine[Any, Any, None]:
        return self._clock.sleep_ms(duration_ms)


class SpeededClock:
    """Starts at `start_ms` and runs `speed` times faster than `monotonic` (seconds)."""

    def __init__(
        self,
        start_ms: int,
        speed: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self._start_ms = start_ms
        self._monotonic = monotonic
        self._origin = monotonic()

    def now_ms(self) -> int:
        return self._start_ms + int((self._monotonic() - self._origin) * 1000 * self.speed)

    async def sleep_ms(self, duration_ms: float) -> None:
        await asyncio.sleep(max(duration_ms, 0) / 1000 / self.speed)
