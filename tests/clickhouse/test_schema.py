"""The schema, held to a golden file; and what a crash in the middle of a migration leaves."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from clickhouse import statements
from clickhouse.chdb import ChdbHistory, ChdbSettings
from tests.clickhouse.golden import GOLDEN, described, schema


async def test_the_schema_is_the_golden_one(engine: Path, database: str) -> None:
    assert await schema(engine, database) == GOLDEN.read_text()


async def test_a_migration_cut_short_is_completed(
    keeper: tuple[Client, Path], database: str
) -> None:
    client, folder = keeper
    client.command(f"CREATE DATABASE {database}")
    first = statements.migrations()[0].statements[0]
    client.command(first.replace("posts\n", f"{database}.posts\n", 1))
    history = await ChdbHistory.open(folder, ChdbSettings(database=database, readers=1))
    assert len(await history.migrate()) == len(statements.migrations())
    await history.close()
    assert described(client, database) == GOLDEN.read_text()


def test_every_table_has_a_deduplication_window() -> None:
    for migration in statements.migrations():
        for statement in migration.statements:
            if "CREATE TABLE" in statement:
                assert "non_replicated_deduplication_window = 1000" in statement
                assert "fsync_after_insert = 1" in statement


def test_every_query_says_what_it_answers() -> None:
    folder = Path(statements.__file__).parent / "queries"
    for file in folder.glob("*.sql"):
        first = file.read_text().splitlines()[0]
        assert first.startswith("-- "), file.name
        assert "?" in first, file.name
