"""History on a ClickHouse server or cluster, through clickhouse-connect's async client."""

from collections.abc import Mapping, Sequence
from typing import Any

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.insert import InsertContext

from clickhouse import statements
from clickhouse.damage import REMEDY
from clickhouse.errors import asking, brief, writing
from clickhouse.history import Answer, HistoryUnavailable, Insert
from clickhouse.schema import CREATE_LEDGER, READ_LEDGER, WRITE_LEDGER, check_tables, pending
from clickhouse.settings import insert_settings


class ServerSettings(msgspec.Struct, frozen=True):
    host: str
    port: int
    user: str
    password: str
    database: str
    secure: bool
    max_query_s: int = 20
    connect_timeout_s: int = 5
    #: A server silent for this long counts as unavailable, and callers retry.
    answer_timeout_s: int = 60


class ServerHistory:
    """Implements History. Created by `open`; answers any number of queries concurrently.

    `insert`, `ask` and `damage` raise HistoryUnavailable after `close`.
    """

    def __init__(self, client: AsyncClient, settings: ServerSettings) -> None:
        self._client = client
        self._settings = settings
        self._contexts: dict[tuple[str, ...], InsertContext] = {}
        self._closed = False

    @classmethod
    async def open(cls, settings: ServerSettings) -> "ServerHistory":
        """Connect, and create the database if it does not exist. Raises HistoryUnavailable."""
        try:
            first = await _client(settings, database=None)
            await first.command(f"CREATE DATABASE IF NOT EXISTS `{settings.database}`")
            await first.close()
            return cls(await _client(settings, settings.database), settings)
        except (ClickHouseError, OSError) as error:
            place = f"{settings.host}:{settings.port}"
            raise HistoryUnavailable(f"ClickHouse at {place}: {brief(error)}") from error

    async def migrate(self) -> Sequence[str]:
        with writing("migrations"):
            await self._client.command(CREATE_LEDGER)
            ledger = await self._client.query(READ_LEDGER)
            missing = pending({row[0] for row in ledger.result_rows})
            for migration in missing:
                for statement in migration.statements:
                    await self._client.command(statement)
                await self._client.command(WRITE_LEDGER, parameters={"name": migration.name})
            self._contexts.clear()
        tables = (await self.ask("tables", {})).columns["name"]
        check_tables(tables, f"at {self._settings.host}")
        return [migration.name for migration in missing]

    async def insert(self, insert: Insert) -> None:
        self._refuse_closed()
        with writing(insert.table):
            context = await self._context(insert)
            context.data = list(insert.columns.values())
            # A token may name one block only: a second block would count as a repetition.
            context.block_row_count = context.row_count
            await self._client.insert(context=context, settings=dict(insert_settings(insert)))

    async def ask(self, query: str, parameters: Mapping[str, Any]) -> Answer:
        self._refuse_closed()
        with asking(query):
            result = await self._client.query(
                statements.query(query),
                parameters=dict(parameters),
                settings={"max_execution_time": self._settings.max_query_s, "readonly": 2},
            )
            return Answer(dict(zip(result.column_names, result.result_columns, strict=True)))

    async def damage(self) -> Sequence[str]:
        broken = (await self.ask("broken_parts", {})).rows
        tables = sorted({row["table"] for row in broken})
        return [f"table {name} has parts that ClickHouse cannot read: {REMEDY}" for name in tables]

    async def move_tables(self, names: Sequence[str], suffix: str) -> str | None:
        """Move tables to a separate database, and drop views, which store nothing.

        Returns the database, or None if no table exists. Raises HistoryUnavailable, HistoryError.
        """
        database, aside = self._settings.database, f"{self._settings.database}_{suffix}"
        with writing("tables put aside"):
            found = await self._client.query(
                "SELECT name, engine FROM system.tables"
                " WHERE database = currentDatabase() AND name IN {names:Array(String)}",
                parameters={"names": list(names)},
            )
            tables = [name for name, engine in found.result_rows if not engine.endswith("View")]
            for name in {row[0] for row in found.result_rows} - set(tables):
                await self._client.command(f"DROP VIEW `{database}`.`{name}`")
            if not tables:
                return None
            await self._client.command(f"CREATE DATABASE IF NOT EXISTS `{aside}`")
            # The ledger moves last: while it exists, the tables already moved count as damage.
            for name in sorted(tables, key=lambda name: name == "schema_migrations"):
                await self._client.command(
                    f"RENAME TABLE `{database}`.`{name}` TO `{aside}`.`{name}`"
                )
        return f"database {aside}"

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._client.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise HistoryUnavailable("history is closed")

    async def _context(self, insert: Insert) -> InsertContext:
        """Describing a table costs a query, so it happens once per table and list of columns."""
        key = (insert.table, *insert.columns)
        if key not in self._contexts:
            self._contexts[key] = await self._client.create_insert_context(
                insert.table, column_names=list(insert.columns), column_oriented=True
            )
        return self._contexts[key]


async def _client(settings: ServerSettings, database: str | None) -> AsyncClient:
    return await clickhouse_connect.get_async_client(
        host=settings.host,
        port=settings.port,
        username=settings.user,
        password=settings.password,
        database=database or "__default__",
        secure=settings.secure,
        connect_timeout=settings.connect_timeout_s,
        send_receive_timeout=settings.answer_timeout_s,
        autogenerate_session_id=False,
    )
