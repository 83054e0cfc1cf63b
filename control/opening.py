"""From a URL to an engine: SQLite on one machine, PostgreSQL on many.

sqlite:///relative/path   sqlite:////absolute/path   sqlite:///:memory:
postgresql://user:password@host:5432/database
"""

import asyncio
import importlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from control.store import ControlError, ControlUnavailable
from streams.marker import Marker

_SQLITE = "sqlite:///"
_MEMORY = ":memory:"
_SPELLINGS = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"
#: How long SQLite waits for another writing process.
BUSY_TIMEOUT_S = 30.0
#: The timeout of PostgreSQL's answers.
COMMAND_TIMEOUT_S = 10.0
#: A process that stands still in a transaction keeps its locks, and with them everybody else from
#: the leases: PostgreSQL ends it after so long.
IDLE_TRANSACTION_S = 5.0
_ATTEMPTS = 250
#: Execution options of a transaction that will write: see `_begin`.
WRITES: Mapping[str, Any] = {"writes": True}


def open_engine(url: str) -> AsyncEngine:
    """Makes an engine without connecting; makes a SQLite file's folder. Raises ControlError."""
    match urlsplit(url).scheme:
        case "sqlite":
            return _sqlite(url)
        case "postgresql":
            return _postgres(url)
        case other:
            raise ControlError(f"control store: {other or repr(url)} is unknown; use {_SPELLINGS}")


def shown(url: str) -> str:
    """The URL without its password, to be printed."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{host}{parts.path}"


def file_of(url: str) -> Path | None:
    """The file of a SQLite store; None: it has none, or the URL is another database's."""
    path = url.removeprefix(_SQLITE)
    return None if path in (url, "", _MEMORY) else Path(path)


def _sqlite(url: str) -> AsyncEngine:
    file, memory = file_of(url), url == f"{_SQLITE}{_MEMORY}"
    if (file is None and not memory) or "?" in url:
        raise ControlError(f"control store: {url!r} names no file; use {_SPELLINGS}")
    if file is not None:
        _make_file(file)
    path = str(file or _MEMORY)
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        hide_parameters=True,
        async_creator=lambda: _connect(path),
        poolclass=AsyncAdaptedQueuePool,
        # One connection is one database in memory; it must neither be shared nor closed.
        pool_size=1 if memory else 4,
        max_overflow=0,
    )
    event.listen(engine.sync_engine, "connect", _connected)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


class _Connection(aiosqlite.Connection):
    """May be stopped twice, as happens where a call is cancelled twice: aiosqlite's own would wait
    for ever for the thread that the first time has ended.
    """

    def stop(self) -> "asyncio.Future[Any] | None":
        return super().stop() if self._running else None


async def _connect(path: str) -> aiosqlite.Connection:
    def open_() -> sqlite3.Connection:
        # The driver's own idea of when to begin a transaction is off: `_begin` does it.
        return sqlite3.connect(
            path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False
        )

    connection = _Connection(open_, iter_chunk_size=64)
    # The process does not wait for it at its end.
    connection._thread.daemon = True
    return await connection


def marker_of(path: Path) -> Marker:
    """The marker that a SQLite file has held a control store."""
    return Marker(path.with_name(f"{path.name}.made"))


def check_file(path: Path) -> bool:
    """Whether it holds a store; an empty file holds none. Raises ControlError where one was."""
    marker, newest = marker_of(path), path.with_name(f"{path.name}-wal")
    if path.exists() and path.stat().st_size:
        return True
    if marker.is_there or (newest.exists() and newest.stat().st_size):
        how = "is empty" if path.exists() else "is gone"
        raise ControlError(
            f"control store: {path} {how}: restore it from a backup, or remove {marker.file} and "
            f"{newest.name} to begin with an empty one"
        )
    return False


def _make_file(path: Path) -> None:
    """So that a folder or a file that cannot be written is told now, with the reason."""
    try:
        if check_file(path):
            marker_of(path).note(1)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite's files beside it are made with the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise ControlUnavailable(f"control store: cannot open {path}: {error.strerror}") from error


def _connected(connection: Any, _record: object) -> None:
    connection.run_async(_set_up)


async def _set_up(connection: aiosqlite.Connection) -> None:
    try:
        await _write_ahead(connection)
        await connection.execute("PRAGMA synchronous=NORMAL")
        # What is deleted is overwritten: sessions of accounts, say.
        await connection.execute("PRAGMA secure_delete=ON")
    except BaseException:
        await connection.close()
        raise


async def _write_ahead(connection: aiosqlite.Connection) -> None:
    """Of several that open a new file at once, all but one fail here without having waited."""
    for _ in range(_ATTEMPTS):
        try:
            await connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await asyncio.sleep(BUSY_TIMEOUT_S / _ATTEMPTS)
        else:
            return
    await connection.execute("PRAGMA journal_mode=WAL")


def _begin(connection: Connection) -> None:
    """A writer takes SQLite's lock at once: a reader that turns writer would fail, not wait."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres(url: str) -> AsyncEngine:
    try:
        asyncpg = importlib.import_module("asyncpg")
    except ImportError as error:
        raise ControlError(
            "control store: PostgreSQL needs its driver; install analyticbot[cluster]"
        ) from error
    if not urlsplit(url).hostname and "host=" not in url:
        raise ControlError(f"control store: {shown(url)} names no host; use {_SPELLINGS}")

    told = {"idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_S * 1000:.0f}"}

    async def connect() -> Any:
        try:
            return await asyncpg.connect(
                url, timeout=10, command_timeout=COMMAND_TIMEOUT_S, server_settings=told
            )
        except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
            reason = str(error) or type(error).__name__
            raise ControlUnavailable(f"control store {shown(url)}: {reason}") from error

    return create_async_engine(
        "postgresql+asyncpg://", hide_parameters=True, async_creator=connect, pool_pre_ping=True
    )
