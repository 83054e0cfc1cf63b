"""Statements for the data of collectors: cursors with known posts, and flood waits."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from control.database import Database
from control.tables import CURSORS, FLOOD_WAITS, KNOWN_POSTS
from streams.ids import ChannelId
from streams.sources.cursors import Cursor, FloodWait, Pages


async def write_cursor(
    database: Database, connection: AsyncConnection, cursor: Cursor, pages: Pages
) -> None:
    await connection.execute(database.upsert(CURSORS, cursor))
    mine = KNOWN_POSTS.c.channel_id == cursor.channel_id
    for page, posts in pages.items():
        if posts is None:
            this = and_(mine, KNOWN_POSTS.c.page == page)
            await connection.execute(delete(KNOWN_POSTS).where(this))
        else:
            row = {"channel_id": cursor.channel_id, "page": page, "posts": posts}
            await connection.execute(database.upsert(KNOWN_POSTS, row))


async def read_known_posts(connection: AsyncConnection, channel_id: ChannelId) -> Mapping[int, str]:
    query = select(KNOWN_POSTS).where(KNOWN_POSTS.c.channel_id == channel_id)
    return {row.page: row.posts for row in await connection.execute(query)}


async def write_flood_wait(
    database: Database, connection: AsyncConnection, account_id: int, wait: FloodWait, now_ms: int
) -> None:
    over = and_(FLOOD_WAITS.c.account_id == account_id, FLOOD_WAITS.c.until_ms <= now_ms)
    await connection.execute(delete(FLOOD_WAITS).where(over))
    row = {
        "account_id": account_id,
        **msgspec.structs.asdict(wait),
        "channel_id": wait.channel_id or 0,
    }
    await connection.execute(database.upsert(FLOOD_WAITS, row))


async def read_flood_waits(connection: AsyncConnection, account_id: int) -> Sequence[FloodWait]:
    query = select(FLOOD_WAITS).where(FLOOD_WAITS.c.account_id == account_id)
    rows = await connection.execute(query)
    return [FloodWait(row.method, row.channel_id or None, row.until_ms) for row in rows]
