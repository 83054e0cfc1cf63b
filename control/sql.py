"""The control store on SQLite and PostgreSQL: one set of queries for both.

For what one machine and its operators change: a few writes a second, not a stream.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from control import migrating
from control.accounts import SqlAccounts
from control.collecting import (
    read_flood_waits,
    read_known_posts,
    write_cursor,
    write_flood_wait,
)
from control.database import Database, whole
from control.leases import SqlLeases
from control.opening import open_engine, shown
from control.sealing import Key, NoKey
from control.settings import SqlSettings
from control.store import Cursor, Delivery, FloodWait, Followed, Standing, Subscription
from control.tables import CURSORS, DELIVERIES, FOLLOWED, SUBSCRIPTIONS
from streams.ids import ChannelId, Username, parse_channel, spelling
from streams.sources.cursors import NO_PAGES, Pages

#: Stands for a source without an account; Telegram numbers its users from 1.
_NO_ACCOUNT = 0


def open_control(url: str, key: Key | None = None) -> "SqlControl":
    """A store at `url` (control.opening); call `migrate` before anything else.

    `key` seals and opens the sessions of accounts; without it none can be stored or used.
    Raises ControlError at once for a URL that cannot work.
    """
    return SqlControl(open_engine(url), shown(url), key or NoKey())


class SqlControl:
    """control.store.ControlStore. Any number of calls at once, from one event loop."""

    def __init__(self, engine: AsyncEngine, name: str, key: Key) -> None:
        self._database = Database(engine, name)
        self.leases = SqlLeases(self._database)
        self.accounts = SqlAccounts(self._database, key)
        self.settings = SqlSettings(self._database)

    @whole
    async def migrate(self) -> None:
        async with self._database.writing() as connection:
            await migrating.migrate(connection)
        await self.accounts.seal()

    @whole
    async def ping(self) -> None:
        """Whether it answers; nothing is made. Raises ControlUnavailable."""
        async with self._database.reading() as connection:
            await connection.execute(text("SELECT 1"))

    @whole
    async def follow(self, reference: str, now_ms: int) -> Followed:
        channel = parse_channel(reference)
        async with self._database.writing() as connection:
            if found := await _find(connection, channel):
                return found
            new = _followed(channel, now_ms)
            await connection.execute(self._database.insert(FOLLOWED, new).on_conflict_do_nothing())
            # Another process may have been faster.
            return await _find(connection, channel) or new

    @whole
    async def resolve(self, reference: str, channel_id: ChannelId, username: str | None) -> None:
        channel = parse_channel(reference)
        name = username.lower() if username else None
        async with self._database.writing() as connection:
            if not (found := await _find(connection, channel)):
                return
            values = {"channel_id": channel_id, "username": name or found.username}
            mine = FOLLOWED.c.reference == found.reference
            await connection.execute(update(FOLLOWED).where(mine).values(values))
            twice = and_(FOLLOWED.c.channel_id == channel_id, ~mine)
            await connection.execute(delete(FOLLOWED).where(twice))

    @whole
    async def put_standing(self, reference: str, standing: Standing) -> None:
        told = msgspec.structs.asdict(standing).items()
        values = {name if name == "status" else f"status_{name}": value for name, value in told}
        mine = FOLLOWED.c.reference == reference
        async with self._database.writing() as connection:
            await connection.execute(update(FOLLOWED).where(mine).values(values))

    @whole
    async def unfollow(self, reference: str) -> bool:
        channel = parse_channel(reference)
        async with self._database.writing() as connection:
            done = await connection.execute(delete(FOLLOWED).where(_means(channel)))
            return done.rowcount > 0

    @whole
    async def followed(self) -> Sequence[Followed]:
        by_age = (FOLLOWED.c.followed_since_ms, FOLLOWED.c.reference)
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(FOLLOWED).order_by(*by_age))).mappings()
            return [Followed(**row) for row in rows]

    @whole
    async def cursor(self, channel_id: ChannelId) -> Cursor | None:
        query = select(CURSORS).where(CURSORS.c.channel_id == channel_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return Cursor(**row) if row else None

    @whole
    async def put_cursor(self, cursor: Cursor, pages: Pages = NO_PAGES) -> None:
        async with self._database.writing() as connection:
            await write_cursor(self._database, connection, cursor, pages)

    @whole
    async def known_posts(self, channel_id: ChannelId) -> Mapping[int, str]:
        async with self._database.reading() as connection:
            return await read_known_posts(connection, channel_id)

    @whole
    async def flood_waits(self) -> Sequence[FloodWait]:
        async with self._database.reading() as connection:
            return await read_flood_waits(connection, _NO_ACCOUNT)

    @whole
    async def put_flood_wait(self, wait: FloodWait, now_ms: int) -> None:
        async with self._database.writing() as connection:
            await write_flood_wait(self._database, connection, _NO_ACCOUNT, wait, now_ms)

    @whole
    async def subscribe(self, subscription: Subscription) -> bool:
        insert = self._database.insert(SUBSCRIPTIONS, subscription).on_conflict_do_nothing()
        async with self._database.writing() as connection:
            return (await connection.execute(insert)).rowcount > 0

    @whole
    async def unsubscribe(self, subscription: Subscription) -> bool:
        mine = and_(
            SUBSCRIPTIONS.c.chat_id == subscription.chat_id,
            SUBSCRIPTIONS.c.channel_id == subscription.channel_id,
        )
        async with self._database.writing() as connection:
            done = await connection.execute(delete(SUBSCRIPTIONS).where(mine))
            return done.rowcount > 0

    @whole
    async def subscriptions(self, chat_id: int) -> Sequence[Subscription]:
        return await self._subscriptions(SUBSCRIPTIONS.c.chat_id == chat_id)

    @whole
    async def subscribers(self, channel_id: ChannelId) -> Sequence[Subscription]:
        return await self._subscriptions(SUBSCRIPTIONS.c.channel_id == channel_id)

    @whole
    async def delivery(self, alert_id: str, chat_id: int) -> Delivery | None:
        found = await self._deliveries(
            and_(DELIVERIES.c.alert_id == alert_id, DELIVERIES.c.chat_id == chat_id)
        )
        return found[0] if found else None

    @whole
    async def deliveries(self, alert_id: str) -> Sequence[Delivery]:
        return await self._deliveries(DELIVERIES.c.alert_id == alert_id)

    @whole
    async def put_delivery(self, delivery: Delivery) -> None:
        async with self._database.writing() as connection:
            await connection.execute(self._database.upsert(DELIVERIES, delivery))

    @whole
    async def forget_deliveries(self, before_ms: int) -> int:
        old = DELIVERIES.c.observed_at_ms < before_ms
        async with self._database.writing() as connection:
            return (await connection.execute(delete(DELIVERIES).where(old))).rowcount

    async def close(self) -> None:
        await self._database.close()

    async def _subscriptions(self, which: ColumnElement[bool]) -> Sequence[Subscription]:
        order = (SUBSCRIPTIONS.c.chat_id, SUBSCRIPTIONS.c.channel_id)
        query = select(SUBSCRIPTIONS).where(which).order_by(*order)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Subscription(**row) for row in rows]

    async def _deliveries(self, which: ColumnElement[bool]) -> Sequence[Delivery]:
        query = select(DELIVERIES).where(which).order_by(DELIVERIES.c.chat_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Delivery(**row) for row in rows]


def _means(channel: ChannelId | Username) -> ColumnElement[bool]:
    """The rows that are this channel, however it was spelled when it was followed."""
    same = FOLLOWED.c.reference == spelling(channel)
    if isinstance(channel, int):
        return or_(same, FOLLOWED.c.channel_id == channel)
    return or_(same, FOLLOWED.c.username == channel)


async def _find(connection: AsyncConnection, channel: ChannelId | Username) -> Followed | None:
    rows = (await connection.execute(select(FOLLOWED).where(_means(channel)))).mappings()
    row = rows.first()
    return Followed(**row) if row else None


def _followed(channel: ChannelId | Username, now_ms: int) -> Followed:
    if isinstance(channel, int):
        return Followed(spelling(channel), channel, None, now_ms)
    return Followed(spelling(channel), None, channel, now_ms)
