"""The schema, held to a golden file; and what a crash in the middle of a migration leaves."""

from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from clickhouse import statements
from clickhouse.chdb import CONFIG, ChdbHistory, ChdbSettings
from clickhouse.upserts import DecidedRows
from streams.analytics import ActivityWindow, LateSamples, PostAge
from streams.ids import ChannelId, PostId
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


async def test_what_was_stored_before_gains_were_told_better_is_kept(
    engine: Path, database: str
) -> None:
    client = clickhouse_connect.get_client(
        interface="chdb", path=str(engine), chdb_options={"config-file": CONFIG}
    )
    client.command(f"CREATE DATABASE {database}")
    client.command(f"USE {database}")
    for migration in statements.migrations()[:4]:
        for statement in migration.statements:
            client.command(statement)
    client.command("INSERT INTO post_ages VALUES (1, 2, 300, 7, NULL, 0, 1, true, 1000)")
    client.command(
        "INSERT INTO windows VALUES (1, 60, 5, NULL, NULL, NULL, 1, 0, 0, 2, true, 100, 9, 3)"
    )
    history = await ChdbHistory.open(engine, ChdbSettings(database=database, readers=1))
    await history.migrate()
    rows = DecidedRows()
    rows.take(
        PostAge(channel_id=ChannelId(1), observed_at_ms=2, post_id=PostId(3), age_s=300, views=7.5)
    )
    rows.take(
        ActivityWindow(
            channel_id=ChannelId(1), observed_at_ms=2, start_ms=120_000, sampled_to_ms=120_001
        )
    )
    rows.take(
        LateSamples(
            channel_id=ChannelId(1), observed_at_ms=2, offset=5, from_ms=1, to_ms=2, samples=3
        )
    )
    for insert in rows.inserts("token", 1):
        await history.insert(insert)
    ages = client.query("SELECT views, forwards, replies FROM post_ages FINAL ORDER BY post_id")
    assert list(ages.result_rows) == [(7.0, None, 0.0), (7.5, None, None)]
    windows = client.query(
        "SELECT views_gained, toUnixTimestamp64Milli(sampled_to) FROM windows FINAL ORDER BY start"
    )
    assert list(windows.result_rows) == [(5, None), (None, 120_001)]
    late = client.query("SELECT offset, samples FROM late_samples FINAL")
    assert list(late.result_rows) == [(5, 3)]
    client.command("USE default")
    client.close()
    await history.close()


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
