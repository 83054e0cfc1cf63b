"""The database of the control store: transactions, and one error type for outages."""

import asyncio
import functools
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Table, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from control.opening import WRITES
from control.store import ControlUnavailable

P = ParamSpec("P")
T = TypeVar("T")

#: How long calls in progress may take to end when the store is closed.
GRACE_S = 2.0
#: One at a time of those that look at leases before they write. Any number; never change it.
_POSTGRES_LOCK = 4_203_188_115
#: What SQLSTATEs begin with that mean "away": no connection, a transaction that stood still, no
#: room, an operator, the machine.
_AWAY_STATES = ("08", "25P03", "53", "57", "58")
#: No such column, no such table: the schema of another version, until an operator migrates it.
_OTHER_SCHEMA = frozenset({"42703", "42P01"})
_NOW_MS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}


class Database:
    """Concurrent transactions from one event loop."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._calls: set[asyncio.Task[Any]] = set()

    async def whole(self, call: Coroutine[Any, Any, T]) -> T:
        """The call's result. Whoever is cancelled meanwhile goes at once, and the call goes on:
        drivers say goodbye to a database that does not answer, and wait for its answer.
        """
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    @property
    def now_ms(self) -> ColumnElement[int]:
        """The database's time at the execution of the statement."""
        return literal_column(_NOW_MS[self._engine.dialect.name], BigInteger)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._reachable(), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        writer = self._engine.execution_options(**WRITES)
        async with self._reachable(), writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing_alone(self) -> AsyncIterator[AsyncConnection]:
        """No other transaction made by this is under way, in whichever process.

        SQLite has one writer at a time by itself.
        """
        async with self.writing() as connection:
            if self._engine.dialect.name == "postgresql":
                lock = text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")
                await connection.execute(lock)
            yield connection

    def insert(
        self, table: Table, row: msgspec.Struct | Mapping[str, Any]
    ) -> sqlite.Insert | postgresql.Insert:
        values = msgspec.structs.asdict(row) if isinstance(row, msgspec.Struct) else dict(row)
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table).values(values)
        return sqlite.insert(table).values(values)

    def upsert(
        self, table: Table, row: msgspec.Struct | Mapping[str, Any]
    ) -> sqlite.Insert | postgresql.Insert:
        """The row replaces the one with its key."""
        insert = self.insert(table, row)
        names = row.__struct_fields__ if isinstance(row, msgspec.Struct) else tuple(row)
        key = [column.name for column in table.primary_key]
        rest = {name: insert.excluded[name] for name in names if name not in key}
        return insert.on_conflict_do_update(index_elements=key, set_=rest)

    async def forget_deleted(self) -> None:
        """Leave no copy of what was replaced in SQLite's file. PostgreSQL's vacuum does it there.

        Where another process is in the middle of something, a copy may stay until the next time.
        """
        if self._engine.dialect.name != "sqlite":
            return
        async with self._reachable(), self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                with suppress(sqlite3.OperationalError):
                    await driver.execute(statement)

    async def close(self) -> None:
        """Returns in twice GRACE_S at most."""
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=GRACE_S)
            for call in late:
                call.cancel()
        closing = asyncio.create_task(self._engine.dispose())
        _, late = await asyncio.wait({closing}, timeout=GRACE_S)
        for call in late:
            call.cancel()

    def _ended(self, call: asyncio.Task[Any]) -> None:
        """Consume an exception that nobody awaits, so that asyncio does not report it."""
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()

    @asynccontextmanager
    async def _reachable(self) -> AsyncIterator[None]:
        """Translates outages of the database to ControlUnavailable; other errors propagate."""
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            reason = getattr(error, "orig", None) or error
            if isinstance(error, DBAPIError) and not _means_away(error):
                if getattr(reason, "sqlstate", None) not in _OTHER_SCHEMA:
                    raise
                reason = f"its schema is another version's ({reason}): run `analyticbot migrate`"
            raise ControlUnavailable(f"control store {self._name}: {reason}") from error
        except OSError as error:
            reason = str(error) or type(error).__name__
            raise ControlUnavailable(f"control store {self._name}: {reason}") from error


def _means_away(error: DBAPIError) -> bool:
    """Where a server goes away in the middle of a statement, or of a transaction, asyncpg has no
    type for it: it has the server's state, a closed connection, or one that it cannot use.
    """
    if type(error) in (DatabaseError, InterfaceError, InternalError, OperationalError):
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state.startswith(_AWAY_STATES)


class Store(Protocol):
    _database: Database


S = TypeVar("S", bound=Store)


def whole(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """For methods of a store: each is atomic, and cancelling one returns at once."""

    @functools.wraps(method)
    async def call(store: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store._database.whole(method(store, *args, **kwargs))

    return call
