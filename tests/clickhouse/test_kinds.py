"""The laws of kinds, on the engine in process and a whole API over an embedded log."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.chdb import CONFIG, ChdbHistory, ChdbSettings
from clickhouse.history import History
from tests.api.reading import FixedReader
from tests.api.serving import Serving, open_log
from tests.laws.kind import KNOWN, KindLaws


class TestKinds(KindLaws):
    @pytest.fixture
    async def history(self, engine: Path, database: str) -> AsyncIterator[History]:
        history = await ChdbHistory.open(engine, ChdbSettings(database=database, readers=1))
        await history.migrate()
        yield history
        await history.close()

    @pytest.fixture
    def client(self, engine: Path, database: str, history: History) -> Iterator[Client]:
        client = clickhouse_connect.get_client(
            interface="chdb", path=str(engine), chdb_options={"config-file": CONFIG}
        )
        client.command(f"USE {database}")
        yield client
        client.command("USE default")
        client.close()

    @pytest.fixture
    async def serving(self, tmp_path: Path) -> AsyncIterator[Serving]:
        log = await open_log(tmp_path / "log", KNOWN)
        async with Serving(log, FixedReader(), known=KNOWN) as serving:
            yield serving
        await log.close()
