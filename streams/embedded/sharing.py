"""One engine a folder: how the Faust transport and the rest of the process meet on one log.

A folder's log can be open once a process (its lock is the process's), yet it is opened from two
sides that cannot hand it to each other: wiring opens an EmbeddedLog, and Faust makes its transport
from a URL and nothing else. The table below is that meeting point. It holds only what is open now:
the last one to release a log closes it and takes it out.
"""

import asyncio
from pathlib import Path

from streams.clock import Clock, SystemClock
from streams.embedded.engine import Engine
from streams.embedded.settings import Settings
from streams.log import LogInUse


class _Shared:
    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self.engine = engine
        self.loop = loop
        self.users = 0


_open: dict[Path, _Shared] = {}


def acquire(folder: Path, settings: Settings | None = None, clock: Clock | None = None) -> Engine:
    """The engine of `folder`, opened with `settings` by the first who asks, shared by the others.

    Blocks while RocksDB recovers. Raises LogInUse (also when it is open on another event loop of
    this process), LogDamaged, LogFull or LogError.
    """
    loop = asyncio.get_running_loop()
    folder = folder.resolve()
    shared = _open.get(folder)
    if shared is not None and shared.loop is not loop:
        if not shared.loop.is_closed():
            raise LogInUse(f"log in {folder} is in use by another event loop of this process")
        shared = None
    if shared is None:
        engine = Engine(folder, settings or Settings(), clock or SystemClock())
        shared = _open[folder] = _Shared(engine, loop)
    shared.users += 1
    return shared.engine


async def release(engine: Engine) -> None:
    """Once an `acquire`. The last one closes the log and returns when it is closed."""
    shared = _open[engine.folder]
    shared.users -= 1
    if shared.users == 0:
        try:
            await engine.close()
        finally:
            del _open[engine.folder]
