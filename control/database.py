"""A database behind the control store: transactions, and one type for "it is away"."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Table, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from control.opening import WRITES
from control.store import ControlUnavailable

#: One at a time of those that look at leases before they write. Any number; never change it.
_POSTGRES_LOCK = 4_203_188_115
_NOW_MS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}


class Database:
    """Any number of transactions at once, from one event loop."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self._name = name

    @property
    def now_ms(self) -> ColumnElement[int]:
        """The database's own time, when the statement that holds it is run."""
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

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def _reachable(self) -> AsyncIterator[None]:
        """Turns what means "the database is away" into one type; mistakes of ours pass."""
        try:
            yield
        except (DatabaseError, InterfaceError, PoolTimeout) as error:
            if type(error) not in (DatabaseError, InterfaceError, OperationalError, PoolTimeout):
                raise
            reason = getattr(error, "orig", None) or error
            raise ControlUnavailable(f"control store {self._name}: {reason}") from error
        except OSError as error:
            reason = str(error) or type(error).__name__
            raise ControlUnavailable(f"control store {self._name}: {reason}") from error
