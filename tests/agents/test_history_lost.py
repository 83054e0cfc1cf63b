"""A history that was removed, or is an older copy: it is filled again from the log, and told."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.history.writer import GROUP, HistoryAgent
from clickhouse.chdb import ChdbHistory
from clickhouse.history import HistoryError
from streams.embedded.log import EmbeddedLog
from streams.log import Bounds, Partition
from streams.metrics import Metrics
from streams.topics import UPDATES
from tests.agents.history_told import ends, minute_of_messages, opened_log, run_in, stored
from tests.agents.test_history import QUICK, Cut, Troubled, drain, running


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await opened_log(tmp_path / "log")
    yield log
    await log.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Troubled]:
    history = Troubled(await ChdbHistory.open(folder))
    await history.migrate()
    yield history
    await history.close()


async def told(log: EmbeddedLog, first: int, last: int) -> None:
    for minute in range(first, last):
        await log.append(minute_of_messages(minute))


async def filled(log: Any, folder: Path, metrics: Metrics | None = None) -> dict[str, list[Any]]:
    """Everything in history, once all that is in the log is there."""
    async with opened(folder) as history:
        await drain(log, history, metrics)
        return stored(folder)


def count(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, {"stage": "history", **labels}) or 0


def said(caplog: pytest.LogCaptureFixture, event: str) -> list[Any]:
    return [record for record in caplog.records if record.message == event]


async def test_a_removed_history_is_filled_again_and_equals_the_one_before(
    log: EmbeddedLog, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await told(log, 0, 6)
    before = await filled(log, folder)
    shutil.rmtree(folder)
    metrics = Metrics()
    assert await filled(log, folder, metrics) == before
    lost = sum((await ends(log)).values())
    assert count(metrics, "analyticbot_received_total") == lost
    assert sum(record.messages for record in said(caplog, "history_behind_log")) == lost
    assert await log.committed(GROUP) == await ends(log)


async def test_an_older_copy_gets_what_it_does_not_have(
    log: EmbeddedLog, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await told(log, 0, 3)
    await filled(log, folder)
    shutil.copytree(folder, folder.with_name("backup"), symlinks=True)
    held = sum((await ends(log)).values())
    await told(log, 3, 7)
    before = await filled(log, folder)
    shutil.rmtree(folder)
    folder.with_name("backup").rename(folder)
    metrics = Metrics()
    assert await filled(log, folder, metrics) == before
    read = count(metrics, "analyticbot_received_total")
    assert read == sum((await ends(log)).values()) - held
    assert count(metrics, "analyticbot_errors_total", kind="behind_log") == 1
    assert [record.messages for record in said(caplog, "history_behind_log")] == [read]


@pytest.mark.parametrize("table", ["posts", "post_samples", "windows", "positions"])
async def test_filling_again_goes_on_after_it_was_cut_short(
    log: EmbeddedLog, folder: Path, table: str
) -> None:
    await told(log, 0, 6)
    before = await filled(log, folder)
    shutil.rmtree(folder)
    async with opened(folder) as history:
        history.after[table] = HistoryError("the process ended")
        with pytest.raises(HistoryError, match="ended"):
            await HistoryAgent(log, history, Metrics(), QUICK).run()
    assert await filled(log, folder) == before


async def test_a_batch_that_was_begun_in_the_lost_history_is_read_in_its_turn(
    log: EmbeddedLog, folder: Path
) -> None:
    """Else its windows would be closed before those of the refill, which would be left out."""
    await told(log, 0, 3)
    await filled(log, folder)
    await told(log, 3, 6)
    async with opened(folder) as history:
        history.after["windows"] = HistoryError("the process ended")
        with pytest.raises(HistoryError, match="ended"):
            await HistoryAgent(log, history, Metrics(), QUICK).run()
    shutil.rmtree(folder)
    again = await filled(log, folder)
    other = folder.with_name("other")
    await log.commit(GROUP, dict.fromkeys(await ends(log), 0))
    assert again == await filled(log, other)


class Trimmed(Cut):
    """A log whose retention has removed the first records."""

    def __init__(self, log: EmbeddedLog, removed: int) -> None:
        super().__init__(log, "")
        self._removed = removed

    async def bounds(self, topic: str) -> Mapping[Partition, Bounds]:
        bounds = await self._log.bounds(topic)
        return {at: Bounds(min(self._removed, has.next), has.next) for at, has in bounds.items()}


async def test_what_the_log_does_not_hold_any_more_is_told_and_noted_in_history(
    log: EmbeddedLog, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await told(log, 0, 6)
    await filled(log, folder)
    shutil.rmtree(folder)
    metrics = Metrics()
    await filled(Trimmed(log, 5), folder, metrics)
    left = stored(folder, of_reader=True)
    gaps = said(caplog, "history_gap")
    assert {record.messages for record in gaps} == {5}
    assert all(record.before.startswith("2025-06-18T") for record in gaps)
    dropped = count(metrics, "analyticbot_dropped_total", reason="removed_by_retention")
    assert dropped == 5 * len(gaps) > 0
    noted = {
        (topic, number): (first, end) for topic, number, first, end, *_ in left["removed_unread"]
    }
    assert noted[UPDATES.name, 0] == (0, 5)
    assert len(noted) == len(gaps)


async def test_a_history_from_before_there_were_positions_is_not_read_again(
    log: EmbeddedLog, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await told(log, 0, 4)
    before = await filled(log, folder)
    async with opened(folder):
        run_in(folder, "DROP TABLE positions")
        run_in(folder, "DELETE FROM schema_migrations WHERE name = '0008_positions'")
    metrics = Metrics()
    after = await filled(log, folder, metrics)
    assert count(metrics, "analyticbot_received_total") == 0
    assert not said(caplog, "history_behind_log")
    positions = stored(folder, of_reader=True)["positions"]
    assert [row[0] for row in positions if row[0] == "*"] == ["*"]
    assert len(positions) == len(await ends(log)) + 1
    assert after == before


async def test_a_history_that_outlived_its_log_says_so_and_follows_the_new_one(
    log: EmbeddedLog, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await told(log, 0, 6)
    await filled(log, folder)
    other = await opened_log(tmp_path / "other")
    await told(other, 6, 8)
    await filled(other, folder)
    left = stored(folder, of_reader=True)
    assert sum(record.messages for record in said(caplog, "history_ahead_of_log")) > 0
    assert {row[:3] for row in left["positions"]} == {
        (*partition, end) for partition, end in (await ends(other)).items()
    }
    metrics = Metrics()
    await filled(other, folder, metrics)
    assert count(metrics, "analyticbot_received_total") == 0
    assert not said(caplog, "history_behind_log")
    await other.close()


async def test_how_much_is_missing_is_known_while_it_is_filled(
    log: EmbeddedLog, folder: Path
) -> None:
    await told(log, 0, 6)
    await filled(log, folder)
    shutil.rmtree(folder)
    async with opened(folder) as history:
        agent = HistoryAgent(log, history, Metrics(), QUICK)
        history.after["posts"] = HistoryError("the process ended")
        with pytest.raises(HistoryError):
            await agent.run()
        assert agent.missing() == sum((await ends(log)).values())
        agent = HistoryAgent(log, history, Metrics(), QUICK)
        async with running(agent):
            await agent.caught_up(await ends(log))
            assert agent.missing() == 0
