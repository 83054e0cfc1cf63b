"""One engine per folder: the Faust transport and the rest of the process share one log.

A process can open the log of a folder only once, because the lock belongs to the process. But two
parts open it that cannot pass it to each other: the wiring opens an EmbeddedLog, and Faust creates
its transport from nothing but a URL. Both find the engine in the table below, which contains only
open logs: the last user to release a log closes and removes it.
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
    """The engine of `folder`; the first caller opens it with its `settings`, later ones share it.

    Called on the event loop; `release` once per call. Blocks while RocksDB recovers. Raises
    LogInUse (also if it is open on another event loop of this process), LogDamaged, LogFull or
    LogError.
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
    """Called once per `acquire`. The last call closes the log and returns when it is closed."""
    shared = _open[engine.folder]
    shared.users -= 1
    if shared.users == 0:
        try:
            await engine.close()
        finally:
            del _open[engine.folder]
