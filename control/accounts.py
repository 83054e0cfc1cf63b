"""Accounts and their claims of channels on SQLite and PostgreSQL: control.store.Accounts."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from control.collecting import read_flood_waits, write_cursor, write_flood_wait
from control.database import Database, whole
from control.leases import held, is_current
from control.sealing import Key, KeyUnavailable, is_sealed
from control.sessions import Sessions
from control.store import ACCOUNT_LEASES, Account, Cursor, Lease, LeaseLost
from control.tables import (
    ACCESS_HASHES,
    ACCOUNTS,
    CURSORS,
    FLOOD_WAITS,
    FOLLOWED,
    LEASES,
    SHARES,
)
from streams.ids import ChannelId
from streams.sources.cursors import NO_PAGES, FloodWait, Pages

logger = logging.getLogger(__name__)


class SqlAccounts:
    def __init__(self, database: Database, key: Key) -> None:
        self._database = database
        self._sessions = Sessions(key)

    @whole
    async def put(self, account: Account) -> None:
        if account.session is None:
            raise ValueError(f"{account!r} has no session")
        row = {
            "id": account.id,
            "session": self._sessions.sealed(account.id, account.session),
            "added_at_ms": account.added_at_ms,
            "refused": account.refused,
        }
        async with self._database.writing() as connection:
            await connection.execute(self._database.upsert(ACCOUNTS, row))

    @whole
    async def all(self) -> Sequence[Account]:
        by_age = (ACCOUNTS.c.added_at_ms, ACCOUNTS.c.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(ACCOUNTS).order_by(*by_age))).mappings()
            return [self._account(row) for row in rows]

    @whole
    async def seal(self) -> None:
        """Seal sessions that an earlier version stored unsealed. Without a key: log a warning."""
        # Rarely needed, so without the lock: a process that stands still may hold it.
        async with self._database.reading() as connection:
            if not await _readable(connection):
                return
        async with self._database.writing_alone() as connection:
            readable = await _readable(connection)
            if not readable:
                return
            try:
                sealed = {one: self._sessions.sealed(one, readable[one]) for one in readable}
            except KeyUnavailable as error:
                fields = {"accounts": len(readable), "reason": str(error)}
                logger.warning("sessions_not_sealed", extra=fields)
                return
            for account_id, session in sealed.items():
                which = ACCOUNTS.c.id == account_id
                await connection.execute(update(ACCOUNTS).where(which).values(session=session))
        await self._database.forget_deleted()
        logger.info("sessions_sealed", extra={"accounts": len(sealed)})

    @whole
    async def remove(self, account_id: int) -> bool:
        async with self._database.writing() as connection:
            for table in (SHARES, ACCESS_HASHES, FLOOD_WAITS):
                await connection.execute(delete(table).where(table.c.account_id == account_id))
            gone = await connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id == account_id))
            return gone.rowcount > 0

    @whole
    async def put_refusal(self, account_id: int, reason: str | None) -> None:
        told = update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(refused=reason)
        async with self._database.writing() as connection:
            await connection.execute(told)

    @whole
    async def claims(self) -> Mapping[str, int]:
        async with self._database.reading() as connection:
            return await _claims(connection)

    @whole
    async def claim(self, lease: Lease, account_id: int, references: Collection[str]) -> set[str]:
        async with self._database.writing_alone() as connection:
            live = await self._live(connection, lease)
            taken = await _claims(connection)
            followed = set((await connection.execute(select(FOLLOWED.c.reference))).scalars())
            others = {one for one, by in taken.items() if by != account_id and by in live}
            mine = (set(references) & followed) - others
            for reference in sorted(mine):
                if taken.get(reference) != account_id:
                    row = {"reference": reference, "account_id": account_id}
                    await connection.execute(self._database.upsert(SHARES, row))
            if unfollowed := taken.keys() - followed:
                await connection.execute(delete(SHARES).where(SHARES.c.reference.in_(unfollowed)))
            return mine

    @whole
    async def let_go(self, account_id: int, references: Collection[str]) -> None:
        which = and_(SHARES.c.account_id == account_id, SHARES.c.reference.in_(references))
        async with self._database.writing() as connection:
            await connection.execute(delete(SHARES).where(which))

    @whole
    async def cursor(self, account_id: int, channel_id: ChannelId) -> Cursor | None:
        mine = and_(
            ACCESS_HASHES.c.account_id == account_id, ACCESS_HASHES.c.channel_id == channel_id
        )
        async with self._database.reading() as connection:
            query = select(CURSORS).where(CURSORS.c.channel_id == channel_id)
            row = (await connection.execute(query)).mappings().one_or_none()
            known = select(ACCESS_HASHES.c.access_hash).where(mine)
            access_hash = (await connection.execute(known)).scalar()
        return Cursor(**{**row, "access_hash": access_hash}) if row else None

    @whole
    async def put_cursor(
        self, lease: Lease, account_id: int, cursor: Cursor, pages: Pages = NO_PAGES
    ) -> None:
        row = msgspec.structs.replace(cursor, access_hash=None)
        known = {
            "account_id": account_id,
            "channel_id": cursor.channel_id,
            "access_hash": cursor.access_hash,
        }
        async with self._database.writing_alone() as connection:
            await self._live(connection, lease)
            await write_cursor(self._database, connection, row, pages)
            if cursor.access_hash is not None:
                await connection.execute(self._database.upsert(ACCESS_HASHES, known))

    @whole
    async def flood_waits(self, account_id: int) -> Sequence[FloodWait]:
        async with self._database.reading() as connection:
            return await read_flood_waits(connection, account_id)

    @whole
    async def put_flood_wait(self, account_id: int, wait: FloodWait, now_ms: int) -> None:
        async with self._database.writing() as connection:
            await write_flood_wait(self._database, connection, account_id, wait, now_ms)

    def _account(self, row: Mapping[Any, Any]) -> Account:
        session, locked = self._sessions.opened(row["id"], row["session"])
        return Account(row["id"], session, row["added_at_ms"], row["refused"], locked)

    async def _live(self, connection: AsyncConnection, lease: Lease) -> set[int]:
        """The accounts in use. Raises LeaseLost if `lease` was released or acquired by another.

        An expired lease that nobody acquired since is accepted: its holder is about to renew it.
        """
        mine = select(LEASES.c.fence).where(is_current(lease))
        if (await connection.execute(mine)).scalar() is None:
            raise LeaseLost(f"lease {lease.name} was lost")
        leases = await held(self._database, connection, ACCOUNT_LEASES)
        return {int(one.name.removeprefix(ACCOUNT_LEASES)) for one in (*leases, lease)}


async def _claims(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(select(SHARES.c.reference, SHARES.c.account_id))
    return {row.reference: row.account_id for row in rows}


async def _readable(connection: AsyncConnection) -> Mapping[int, str]:
    """The sessions that are not sealed, by account."""
    rows = await connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.session))
    return {row.id: row.session for row in rows if not is_sealed(row.session)}
