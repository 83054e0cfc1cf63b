"""The control store on SQLite and PostgreSQL: one set of queries for both.

For what one machine and its operators change: a few writes a second, not a stream.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from control import migrating
from control.opening import WRITES, open_engine, shown
from control.store import ControlUnavailable, Cursor, Delivery, Followed, Subscription
from control.tables import CURSORS, DELIVERIES, FOLLOWED, SUBSCRIPTIONS
from streams.ids import ChannelId, Username, parse_channel


def open_control(url: str) -> "SqlControl":
    """A store at `url` (control.opening); call `migrate` before anything else.

    Raises ControlError at once for a URL that cannot work.
    """
    return SqlControl(open_engine(url), shown(url))


class SqlControl:
    """control.store.ControlStore. Any number of calls at once, from one event loop."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self._name = name

    async def migrate(self) -> None:
        async with self._writing() as connection:
            await migrating.migrate(connection)

    async def follow(self, reference: str, now_ms: int) -> Followed:
        channel = parse_channel(reference)
        async with self._writing() as connection:
            if found := await _find(connection, channel):
                return found
            new = _followed(channel, now_ms)
            await connection.execute(self._insert(FOLLOWED, new).on_conflict_do_nothing())
            # Another process may have been faster.
            return await _find(connection, channel) or new

    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        channel = parse_channel(reference)
        name = username.lower() if username else None
        async with self._writing() as connection:
            if not (found := await _find(connection, channel)):
                return
            values = {"channel_id": channel_id, "username": name or found.username}
            mine = FOLLOWED.c.reference == found.reference
            await connection.execute(update(FOLLOWED).where(mine).values(values))
            twice = and_(FOLLOWED.c.channel_id == channel_id, ~mine)
            await connection.execute(delete(FOLLOWED).where(twice))

    async def unfollow(self, reference: str) -> bool:
        channel = parse_channel(reference)
        async with self._writing() as connection:
            done = await connection.execute(delete(FOLLOWED).where(_means(channel)))
            return done.rowcount > 0

    async def followed(self) -> Sequence[Followed]:
        by_age = (FOLLOWED.c.followed_since_ms, FOLLOWED.c.reference)
        async with self._reading() as connection:
            rows = (await connection.execute(select(FOLLOWED).order_by(*by_age))).mappings()
            return [Followed(**row) for row in rows]

    async def cursor(self, channel_id: ChannelId) -> Cursor | None:
        query = select(CURSORS).where(CURSORS.c.channel_id == channel_id)
        async with self._reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return Cursor(**row) if row else None

    async def put_cursor(self, cursor: Cursor) -> None:
        await self._upsert(CURSORS, cursor)

    async def subscribe(self, subscription: Subscription) -> bool:
        insert = self._insert(SUBSCRIPTIONS, subscription).on_conflict_do_nothing()
        async with self._writing() as connection:
            return (await connection.execute(insert)).rowcount > 0

    async def unsubscribe(self, subscription: Subscription) -> bool:
        mine = and_(
            SUBSCRIPTIONS.c.chat_id == subscription.chat_id,
            SUBSCRIPTIONS.c.channel_id == subscription.channel_id,
        )
        async with self._writing() as connection:
            done = await connection.execute(delete(SUBSCRIPTIONS).where(mine))
            return done.rowcount > 0

    async def subscriptions(self, chat_id: int) -> Sequence[Subscription]:
        return await self._subscriptions(SUBSCRIPTIONS.c.chat_id == chat_id)

    async def subscribers(self, channel_id: ChannelId) -> Sequence[Subscription]:
        return await self._subscriptions(SUBSCRIPTIONS.c.channel_id == channel_id)

    async def delivery(self, alert_id: str, chat_id: int) -> Delivery | None:
        found = await self._deliveries(
            and_(DELIVERIES.c.alert_id == alert_id, DELIVERIES.c.chat_id == chat_id)
        )
        return found[0] if found else None

    async def deliveries(self, alert_id: str) -> Sequence[Delivery]:
        return await self._deliveries(DELIVERIES.c.alert_id == alert_id)

    async def put_delivery(self, delivery: Delivery) -> None:
        await self._upsert(DELIVERIES, delivery)

    async def forget_deliveries(self, before_ms: int) -> int:
        old = DELIVERIES.c.observed_at_ms < before_ms
        async with self._writing() as connection:
            return (await connection.execute(delete(DELIVERIES).where(old))).rowcount

    async def close(self) -> None:
        await self._engine.dispose()

    async def _subscriptions(self, which: ColumnElement[bool]) -> Sequence[Subscription]:
        order = (SUBSCRIPTIONS.c.chat_id, SUBSCRIPTIONS.c.channel_id)
        query = select(SUBSCRIPTIONS).where(which).order_by(*order)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Subscription(**row) for row in rows]

    async def _deliveries(self, which: ColumnElement[bool]) -> Sequence[Delivery]:
        query = select(DELIVERIES).where(which).order_by(DELIVERIES.c.chat_id)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Delivery(**row) for row in rows]

    async def _upsert(self, table: Table, row: msgspec.Struct) -> None:
        insert = self._insert(table, row)
        key = [column.name for column in table.primary_key]
        rest = {name: insert.excluded[name] for name in row.__struct_fields__ if name not in key}
        async with self._writing() as connection:
            await connection.execute(
                insert.on_conflict_do_update(index_elements=key, set_=rest),
            )

    def _insert(self, table: Table, row: msgspec.Struct) -> sqlite.Insert | postgresql.Insert:
        values: Mapping[str, Any] = msgspec.structs.asdict(row)
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table).values(values)
        return sqlite.insert(table).values(values)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._reachable(), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        writer = self._engine.execution_options(**WRITES)
        async with self._reachable(), writer.begin() as connection:
            yield connection

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
            raise ControlUnavailable(f"control store {self._name}: {error}") from error


def _means(channel: ChannelId | Username) -> ColumnElement[bool]:
    """The rows that are this channel, however it was spelled when it was followed."""
    same = FOLLOWED.c.reference == str(channel)
    if isinstance(channel, int):
        return or_(same, FOLLOWED.c.channel_id == channel)
    return or_(same, FOLLOWED.c.username == channel)


async def _find(connection: AsyncConnection, channel: ChannelId | Username) -> Followed | None:
    rows = (await connection.execute(select(FOLLOWED).where(_means(channel)))).mappings()
    row = rows.first()
    return Followed(**row) if row else None


def _followed(channel: ChannelId | Username, now_ms: int) -> Followed:
    if isinstance(channel, int):
        return Followed(str(channel), channel, None, now_ms)
    return Followed(channel, None, channel, now_ms)
