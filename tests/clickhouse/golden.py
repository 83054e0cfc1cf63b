"""The schema after all migrations; ``python -m tests.clickhouse.golden`` writes it anew."""

import asyncio
import tempfile
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from clickhouse.chdb import CONFIG, ChdbHistory, ChdbSettings

GOLDEN = Path(__file__).parent / "schema.sql"


async def schema(engine: Path, database: str) -> str:
    """Migrates an empty database and reads back what the engine has made of it."""
    history = await ChdbHistory.open(engine, ChdbSettings(database=database, readers=1))
    await history.migrate()
    client = clickhouse_connect.get_client(
        interface="chdb", path=str(engine), chdb_options={"config-file": CONFIG}
    )
    text = described(client, database)
    client.close()
    await history.close()
    return text


def described(client: Client, database: str) -> str:
    tables = client.query(
        "SELECT formatQuery(create_table_query) FROM system.tables"
        " WHERE database = {database:String} AND name != 'schema_migrations' ORDER BY name",
        parameters={"database": database},
    )
    return (
        "\n\n".join(f"{row[0]};" for row in tables.result_rows).replace(f"{database}.", "") + "\n"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        GOLDEN.write_text(asyncio.run(schema(Path(folder), "golden")))
