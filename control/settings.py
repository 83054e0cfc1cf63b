"""Settings of decisions on SQLite and PostgreSQL: control.store.SettingsStore."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import case, select

from control.database import Database, whole
from control.tables import SETTINGS
from streams.broadcasts import SettingChanged, Value
from streams.ids import ChannelId

#: Stands for all channels; Telegram numbers its channels from 1.
_ALL = 0


class SqlSettings:
    def __init__(self, database: Database) -> None:
        self._database = database

    @whole
    async def put(
        self, name: str, channel_id: ChannelId | None, value: Value | None, now_ms: int
    ) -> SettingChanged:
        row = {
            "name": name,
            "channel_id": channel_id or _ALL,
            "value": None if value is None else msgspec.json.encode(value).decode(),
            "version": now_ms,
        }
        insert = self._database.insert(SETTINGS, row)
        before = SETTINGS.c.version
        version = case((before >= now_ms, before + 1), else_=now_ms)
        replaced = insert.on_conflict_do_update(
            index_elements=["name", "channel_id"],
            set_={"value": insert.excluded.value, "version": version},
        ).returning(*SETTINGS.c)
        async with self._database.writing() as connection:
            return _change((await connection.execute(replaced)).mappings().one())

    @whole
    async def all(self) -> Sequence[SettingChanged]:
        order = (SETTINGS.c.name, SETTINGS.c.channel_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(SETTINGS).order_by(*order))).mappings()
            return [_change(row) for row in rows]


def _change(row: Mapping[Any, Any]) -> SettingChanged:
    value = row["value"]
    return SettingChanged(
        at_ms=row["version"],
        name=row["name"],
        channel_id=None if row["channel_id"] == _ALL else ChannelId(row["channel_id"]),
        value=None if value is None else msgspec.json.decode(value, type=Value),
        version=row["version"],
    )
