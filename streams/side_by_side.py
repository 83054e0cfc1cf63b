"""Runs coroutines side by side, none without the others."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def side_by_side(*parts: Coroutine[Any, Any, None]) -> None:
    """Runs until one of them ends; then cancels the others and waits for them.

    Raises its error; of several, the error of the first argument.
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
