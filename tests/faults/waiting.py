"""Waiting for conditions of other processes, which have no events to wait on."""

import asyncio
from collections.abc import Awaitable, Callable

_LOOK_S = 0.02


async def until(
    condition: Callable[[], bool | Awaitable[bool]], patience_s: float, what: str
) -> float:
    """Returns when `condition` holds, and how many seconds that took. Raises AssertionError."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return loop.time() - began
        assert loop.time() - began < patience_s, f"not within {patience_s} s: {what}"
        await asyncio.sleep(_LOOK_S)
