"""The laws on the engine in process, and what is special about it."""

from pathlib import Path

import pytest

from clickhouse.chdb import ChdbHistory, ChdbSettings
from clickhouse.history import History, HistoryError, HistoryInUse
from tests.laws.history import HistoryLaws, Opener


class TestChdb(HistoryLaws):
    @pytest.fixture
    def opener(self, engine: Path, database: str) -> Opener:
        async def opened() -> History:
            return await ChdbHistory.open(engine, ChdbSettings(database=database, readers=2))

        return opened


async def test_a_second_folder_is_refused_in_one_line(engine: Path, tmp_path: Path) -> None:
    with pytest.raises(HistoryInUse, match="holds another history folder") as refused:
        await ChdbHistory.open(tmp_path / "other")
    assert "\n" not in str(refused.value)


async def test_a_folder_that_cannot_be_made_is_told(engine: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match=r"Not a directory|File exists") as refused:
        await ChdbHistory.open(tmp_path / "file" / "folder")
    assert "\n" not in str(refused.value)
