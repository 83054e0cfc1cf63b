"""`analyticbot rebuild TABLE`: a decision's rows from the log again, equal to those before."""

import argparse
from pathlib import Path

import pytest

from agents.engine.rebuilds import want
from analyticbot.commands import rebuild
from analyticbot.config import Settings, read_settings
from analyticbot.failure import Failure
from analyticbot.installed import own
from analyticbot.stores import opened_log
from analyticbot.table_rebuild import TableRebuild, decision_of
from streams.log import Log
from streams.topics import AGENTS, ALERTS, UPDATES, WINDOWS, changelog_of
from tests.agents.test_fill import events
from tests.agents.working import PARTITIONS, append, drafts_of, records, working

TABLES = ("channels", "posts", "shelves", "spikes")


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """Of an installation that has run."""
    async with working(tmp_path / "log") as work:
        await append(work.log, drafts_of(events()))
        await work.settled()
    variables = {"ANALYTICBOT_DATA": str(tmp_path), "ANALYTICBOT_PARTITIONS": str(PARTITIONS)}
    return read_settings(variables, tmp_path)


async def rows(log: Log, table: str) -> dict[bytes, bytes]:
    newest = {}
    for record in await records(log, changelog_of(AGENTS, table).name):
        newest[record.key or b""] = record.value
    return {key: value for key, value in newest.items() if value is not None}


async def sent(log: Log) -> list[int]:
    return [len(await records(log, topic.name)) for topic in (WINDOWS, ALERTS, UPDATES)]


@pytest.mark.parametrize("table", ["spikes", "posts"])
async def test_the_rows_are_those_that_were_there_and_nothing_is_sent(
    settings: Settings, table: str
) -> None:
    async with opened_log(settings) as log:
        before = {name: await rows(log, name) for name in TABLES}
        was_sent, changes = await sent(log), len(await records(log, f"{AGENTS}-{table}-changelog"))
        told = []
        work = TableRebuild(settings, log, decision_of(table, own()), own())
        assert not await work.resume()
        await work.begin(1)
        folded = await work.finish(lambda done, total: told.append((done, total)))
        assert {name: await rows(log, name) for name in TABLES} == before
        assert all(before.values())
        assert await sent(log) == was_sent
        assert folded == was_sent[0 if table == "spikes" else 2]
        assert len(await records(log, f"{AGENTS}-{table}-changelog")) > changes
        assert not await work.resume()


async def test_one_that_was_asked_for_and_not_begun_is_resumed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened_log(settings) as log:
        before = await rows(log, "spikes")
        await want(log, "spikes", 5)
    options = argparse.Namespace(what="spikes", yes=False)
    assert await rebuild.run(options, settings) == 0
    assert capsys.readouterr().out.startswith("resuming the rebuild that was begun\n")
    async with opened_log(settings) as log:
        assert await rows(log, "spikes") == before


def test_a_table_that_is_not_there_is_refused_with_the_names_of_those_that_are() -> None:
    with pytest.raises(Failure) as raised:
        decision_of("windows", own())
    assert str(raised.value) == (
        "windows: no such table; rebuild history, or one of channels, posts, shelves, spikes"
    )
