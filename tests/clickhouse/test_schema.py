"""The schema, held to a golden file; and what a crash in the middle of a migration leaves."""

from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from clickhouse import statements
from clickhouse.chdb import CONFIG, ChdbHistory, ChdbSettings
from clickhouse.evidence import Basis
from clickhouse.history_reader import HistoryReader
from clickhouse.rows import ObservedRows
from clickhouse.upserts import DecidedRows
from streams.analytics import ActivityWindow, LateSamples, PostAge
from streams.events import CountersSampled
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


async def test_what_was_stored_before_figures_had_evidence_has_it_too(
    engine: Path, database: str
) -> None:
    """Ratings of raw samples and readings of posts; a migration that runs twice changes nothing."""
    client = clickhouse_connect.get_client(
        interface="chdb", path=str(engine), chdb_options={"config-file": CONFIG}
    )
    client.command(f"CREATE DATABASE {database}")
    client.command(f"USE {database}")
    earlier, evidence = (
        [m for m in statements.migrations() if (m.name >= "0007") is late] for late in (False, True)
    )
    for migration in earlier:
        for statement in migration.statements:
            client.command(statement)
    client.command(
        "INSERT INTO posts (channel_id, post_id, date, source, observed_at)"
        " VALUES (1, 2, 1000, 'telegram', 5000), (1, 3, 2000, 'telegram', 6000),"
        " (1, 4, 500, 'import', 600)"
    )
    client.command(
        "INSERT INTO post_samples (channel_id, post_id, observed_at, source, views, forwards,"
        " replies, reactions) VALUES (1, 2, 5000, 'telegram', 100, 1, 2, 3),"
        " (1, 2, 5500, 'telegram', 200, 9, NULL, 3), (1, 3, 6000, 'telegram', 50, 1, 0, 0)"
    )
    for _ in range(2):
        for migration in evidence:
            for statement in migration.statements:
                client.command(statement)
    history = await ChdbHistory.open(engine, ChdbSettings(database=database, readers=1))
    await history.migrate()
    rows = ObservedRows()
    rows.take(
        CountersSampled(
            channel_id=ChannelId(1), observed_at_ms=7_000_000, post_ids=[PostId(3)],
            views=[80], forwards=[4], replies=[0], reactions=[0],
        )
    )  # fmt: skip
    for insert in rows.inserts("after"):
        await history.insert(insert)
    reader = HistoryReader(history)
    page, _ = await reader.posts(ChannelId(1), 0, 10_000_000, "date", 10, None)
    assert {p.post_id: (p.views, p.er_by_views_percent) for p in page.rows} == {
        4: (None, None),
        3: (80, 5.0),
        2: (200, 6.0),
    }
    read = await reader.posts_of_all(0, 10_000_000)
    assert read == {ChannelId(1): (3, Basis(0.7, 3, 7_000_000))}
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


@pytest.mark.parametrize("rolled", statements.ROLLED)
def test_a_query_of_roll_ups_is_of_one_roll_up(rolled: str) -> None:
    folder = Path(statements.__file__).parent / "queries"
    stems = [file.stem.removesuffix("_rolled") for file in folder.glob("*_rolled.sql")]
    assert sorted(stems) == ["growth", "recomputed", "views"]
    for stem in stems:
        text = statements.query(f"{stem}_{rolled}")
        tables = statements.tables_of(f"{stem}_{rolled}")
        [table] = [table for table in tables if table.endswith(("_hourly", "_daily"))]
        assert "$" not in text
        assert table.endswith(f"_{rolled}")
        assert f"by its {statements.ROLLED[rolled]}s" in text or stem == "recomputed"
