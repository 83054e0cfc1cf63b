"""The laws on a server, which is the engine behind ClickHouse's HTTP interface."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.aside import put_aside
from clickhouse.history import HistoryDamaged, HistoryError, HistoryUnavailable, QueryFailed
from clickhouse.opening import open_history
from tests.clickhouse.shim import Fault, Shim, serving
from tests.laws.history import HistoryLaws, Opener, gained, store, window

Served = tuple[Shim, int]


@pytest.fixture
async def served(engine: Path) -> AsyncIterator[Served]:
    async with serving(engine) as shim_and_port:
        yield shim_and_port


class TestServer(HistoryLaws):
    @pytest.fixture
    def opener(self, served: Served, database: str) -> Opener:
        return lambda: open_history(f"clickhouse://127.0.0.1:{served[1]}/{database}")


async def test_no_server_is_unavailable_in_one_line() -> None:
    with pytest.raises(HistoryUnavailable, match=r"127\.0\.0\.1:1") as refused:
        await open_history("clickhouse://user:secret@127.0.0.1:1/db")
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(500, 252, "Too many parts"), HistoryUnavailable),
        (Fault(500, 241, "Memory limit exceeded"), HistoryUnavailable),
        (Fault(500, 243, "Not enough space"), HistoryUnavailable),
        (Fault(500, 53, "Type mismatch"), HistoryError),
    ],
)
async def test_faults_of_an_insertion(
    served: Served, database: str, fault: Fault, expected: type[HistoryError]
) -> None:
    shim, port = served
    history = await open_history(f"clickhouse://127.0.0.1:{port}/{database}")
    await history.migrate()
    await store(history, window("a", 0, 1))
    shim.faults.append(fault)
    with pytest.raises(HistoryError) as refused:
        await store(history, window("b", 1, 1))
    assert type(refused.value) is expected
    await store(history, window("b", 1, 1))
    assert await gained(history, "hourly") == [2]
    await history.close()


async def test_a_question_that_costs_too_much_has_failed(served: Served, database: str) -> None:
    shim, port = served
    history = await open_history(f"clickhouse://127.0.0.1:{port}/{database}")
    await history.migrate()
    shim.faults.append(Fault(500, 159, "Timeout exceeded"))
    with pytest.raises(QueryFailed):
        await gained(history, "hourly")
    await history.close()


async def test_tables_are_put_aside_whole_and_made_anew(
    served: Served, database: str, keeper: tuple[Client, Path]
) -> None:
    url = f"clickhouse://127.0.0.1:{served[1]}/{database}"
    history = await open_history(url)
    await history.migrate()
    await store(history, window("a", 0, 10))
    await history.close()
    aside = f"{database}_aside_then"
    assert await put_aside(url, "then") == f"database {aside}"
    assert await put_aside(url, "later") is None
    history = await open_history(url)
    await history.migrate()
    assert await gained(history, "daily") == []
    await store(history, window("a", 0, 7))
    for resolution in ("minutes", "hourly", "daily"):
        assert await gained(history, resolution) == [7], resolution
    assert await history.damage() == []
    await history.close()
    for table in ("windows", "channel_hourly", "channel_daily"):
        rows = keeper[0].query(f"SELECT sum(views_gained) FROM {aside}.{table}").result_rows
        assert rows == [(10,)], table
    keeper[0].command(f"DROP DATABASE {aside} SYNC")


async def test_a_table_that_is_gone_is_told_by_migrations(
    served: Served, database: str, keeper: tuple[Client, Path]
) -> None:
    history = await open_history(f"clickhouse://127.0.0.1:{served[1]}/{database}")
    await history.migrate()
    keeper[0].command(f"DROP TABLE {database}.alerts SYNC")
    with pytest.raises(HistoryDamaged, match="it has no table alerts: restore it") as refused:
        await history.migrate()
    assert "\n" not in str(refused.value)
    await history.close()
