import ast
from pathlib import Path

import msgspec
import pytest

import agents
from agents.app import build
from agents.engine.worker import WorkerSettings
from agents.pipeline import INPUTS, PIPELINE, WRITERS, plan, topology
from streams import topics
from streams.metrics import Metrics
from streams.topics import AGENTS, changelog_of


def test_the_topology_names_every_step_topic_and_table_in_order() -> None:
    text = topology()
    words = [
        "telegram.updates → updates",
        "takes: PostsSeen",
        "fold_posts",
        "put_activity",
        "put_late",
        "put_ages",
        "put_subscribers",
        "put_counters",
        "put_summary",
        "tables: channels, posts, shelves",
        "→ analytics.windows",
        "analytics.windows → spikes",
        "takes: ActivityWindow",
        "put_spikes",
        "tables: spikes",
        "settings: spikes.factor, spikes.least, spikes.calm_minutes",
        "→ analytics.alerts",
        "→ ClickHouse",
    ]
    places = [text.index(word) for word in words]
    assert places == sorted(places)


def test_what_runs_is_what_is_listed(tmp_path: Path) -> None:
    app = build(WorkerSettings(broker=f"embedded://{tmp_path}"), Metrics())
    app.finalize()
    assert [agent.split(".")[-1] for agent in app.agents] == [each.stage for each in INPUTS]
    read = {topic for agent in app.agents.values() for topic in agent.channel.topics}
    assert read == {each.topic.name for each in INPUTS}
    tables = {*plan().tables}
    assert set(app.tables) == tables
    changelogs = {table.changelog_topic_name for table in app.tables.values()}
    assert changelogs == {changelog_of(AGENTS, table).name for table in tables}


def test_a_list_that_contradicts_itself_is_refused() -> None:
    updates, spikes = PIPELINE
    replace = msgspec.structs.replace
    for wrong, reason in (
        ((updates, spikes, replace(spikes, name="other")), "tables of two decisions: spikes"),
        ((updates, spikes, spikes), "decisions of one name: spikes"),
        ((replace(spikes, reads=(topics.SCORES,)),), "spikes reads analytics.scores"),
        ((replace(spikes, kinds=()),), "spikes takes no kind of message"),
    ):
        with pytest.raises(ValueError, match=reason):
            plan(wrong)


def test_every_topic_that_is_read_or_sent_to_is_one_of_the_project() -> None:
    for decision in PIPELINE:
        assert {*decision.reads, *decision.sends} <= set(topics.ALL)
    for writer in WRITERS:
        assert set(writer.reads) <= set(topics.ALL)


def test_the_steps_know_nothing_of_faust_or_the_clock() -> None:
    for decision in PIPELINE:
        files = {Path(step.__code__.co_filename) for step in decision.steps}
        assert all(file.is_relative_to(Path(agents.__file__).parent) for file in files)
        for file in files:
            imported = _imports(file)
            assert not imported & {"faust", "time", "datetime", "asyncio", "streams.clock"}, file


def _imports(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {
        name
        for node in nodes
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
