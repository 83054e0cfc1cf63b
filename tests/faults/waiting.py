"""Waiting for conditions of other processes, which have no events to wait on."""

import asyncio
from collections.abc import Awaitable, Callable

_LOOK_S = 0.02


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    patience_s: float,
    what: str | Callable[[], str],
) -> float:
    """Returns when `condition` holds, and how many seconds that took.

    Raises AssertionError, with `what` was waited for.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return loop.time() - began
        if loop.time() - began > patience_s:
            waited_for = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {patience_s} s: {waited_for}")
        await asyncio.sleep(_LOOK_S)
