"""Several things that go on together, none without the others."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def side_by_side(*parts: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends; the others are cancelled then, and waited for.

    Raises what it raised; of several the first one's that was named.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        task.result()
