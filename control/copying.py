"""Copies one control store into another, for example from SQLite to PostgreSQL.

Leases and claims of channels are not copied: processes acquire them again.
"""

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from control import migrating
from control.database import Database
from control.opening import file_of, open_engine, shown
from control.sealing import Key, is_sealed
from control.sessions import Sessions
from control.store import ControlError
from control.tables import (
    ACCESS_HASHES,
    ACCOUNTS,
    CURSORS,
    DELIVERIES,
    FLOOD_WAITS,
    FOLLOWED,
    KNOWN_POSTS,
    SETTINGS,
    SUBSCRIPTIONS,
)

logger = logging.getLogger(__name__)

_TABLES = (
    FOLLOWED,
    CURSORS,
    KNOWN_POSTS,
    SUBSCRIPTIONS,
    SETTINGS,
    DELIVERIES,
    ACCOUNTS,
    ACCESS_HASHES,
    FLOOD_WAITS,
)


async def copy(source_url: str, target_url: str, key: Key) -> Mapping[str, int]:
    """How many rows of each table the source has; all of them are in the target afterwards.

    A row whose key is there already stays as it is there, so this can be done again. Both schemas
    are brought up to date. Sessions stay sealed by the key that sealed them, which the target needs
    then; those that are readable are sealed by `key`. A session that it does not open is logged.
    Nobody may use the source meanwhile. Raises ControlError.
    """
    _check_is_there(source_url)
    source, target = _opened(source_url), _opened(target_url)
    try:
        for database in (source, target):
            async with database.writing() as connection:
                await migrating.migrate(connection)
        return await _copied(source, target, Sessions(key))
    finally:
        await source.close()
        await target.close()


async def _copied(source: Database, target: Database, sessions: Sessions) -> Mapping[str, int]:
    counts = {}
    async with source.reading() as reading, target.writing() as writing:
        insert = postgresql.insert if writing.dialect.name == "postgresql" else sqlite.insert
        for table in _TABLES:
            rows = [dict(row) for row in (await reading.execute(select(table))).mappings()]
            if table is ACCOUNTS:
                rows = [_sealed(row, sessions) for row in rows]
            if rows:
                await writing.execute(insert(table).on_conflict_do_nothing(), rows)
            counts[table.name] = len(rows)
    return counts


def _sealed(row: dict[str, Any], sessions: Sessions) -> dict[str, Any]:
    _, locked = sessions.opened(row["id"], row["session"])
    if locked:
        logger.warning("session_locked", extra={"account": row["id"], "reason": locked})
    if is_sealed(row["session"]):
        return row
    return {**row, "session": sessions.sealed(row["id"], row["session"])}


def _opened(url: str) -> Database:
    return Database(open_engine(url), shown(url))


def _check_is_there(url: str) -> None:
    """Raises ControlError for a missing file: opening would create an empty one."""
    if (file := file_of(url)) and not file.is_file():
        raise ControlError(f"control store: no such file: {file}")
