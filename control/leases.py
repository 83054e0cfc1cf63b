"""Leases on SQLite and PostgreSQL: control.store.Leases."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from control.database import Database, whole
from control.store import Lease
from control.tables import LEASES


class SqlLeases:
    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def acquire(self, name: str, holder: str, ttl_ms: int) -> Lease | None:
        now_ms = self._database.now_ms
        row = {"name": name, "holder": holder, "fence": 1, "until_ms": now_ms + literal(ttl_ms)}
        insert = self._database.insert(LEASES, row)
        taken = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "holder": insert.excluded.holder,
                "fence": LEASES.c.fence + 1,
                "until_ms": insert.excluded.until_ms,
            },
            where=or_(LEASES.c.until_ms <= now_ms, LEASES.c.holder == holder),
        ).returning(LEASES.c.fence)
        async with self._database.writing_alone() as connection:
            fence = (await connection.execute(taken)).scalar()
        return None if fence is None else Lease(name, holder, fence)

    @whole
    async def renew(self, lease: Lease, ttl_ms: int) -> bool:
        until_ms = self._database.now_ms + literal(ttl_ms)
        longer = update(LEASES).where(is_current(lease)).values(until_ms=until_ms)
        async with self._database.writing() as connection:
            return (await connection.execute(longer)).rowcount > 0

    @whole
    async def release(self, lease: Lease) -> None:
        """Release the lease. The row stays, because its fence must keep growing."""
        async with self._database.writing() as connection:
            ended = update(LEASES).where(is_this(lease)).values(until_ms=0)
            await connection.execute(ended)

    @whole
    async def held(self, prefix: str) -> Sequence[Lease]:
        async with self._database.reading() as connection:
            return await held(self._database, connection, prefix)


async def held(database: Database, connection: AsyncConnection, prefix: str) -> Sequence[Lease]:
    """As Leases.held, in a transaction."""
    columns = (LEASES.c.name, LEASES.c.holder, LEASES.c.fence)
    live = and_(
        LEASES.c.name.startswith(prefix, autoescape=True), LEASES.c.until_ms > database.now_ms
    )
    rows = await connection.execute(select(*columns).where(live).order_by(LEASES.c.name))
    return [Lease(**row) for row in rows.mappings()]


def is_current(lease: Lease) -> ColumnElement[bool]:
    """The lease was neither released nor acquired since; it may have expired."""
    return and_(is_this(lease), LEASES.c.until_ms > 0)


def is_this(lease: Lease) -> ColumnElement[bool]:
    return and_(
        LEASES.c.name == lease.name,
        LEASES.c.holder == lease.holder,
        LEASES.c.fence == lease.fence,
    )
