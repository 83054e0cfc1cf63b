"""Ctrl-C and SIGTERM as an event."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """The first signal sets the event; a second one ends the process immediately."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def first(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, first, number)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
