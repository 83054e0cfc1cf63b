import ast
from pathlib import Path

import agents
from agents.pipeline import PIPELINE, topology
from streams import topics


def test_the_topology_names_every_step_topic_and_table_in_order() -> None:
    text = topology(PIPELINE)
    words = [
        "telegram.updates → updates",
        "read_event",
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
        "put_spikes",
        "tables: spikes",
        "→ analytics.alerts",
        "→ ClickHouse",
    ]
    places = [text.index(word) for word in words]
    assert places == sorted(places)


def test_every_topic_that_is_read_is_one_of_the_project() -> None:
    for agent in PIPELINE:
        assert set(agent.reads) <= set(topics.ALL)
        assert set(agent.sends) <= set(topics.ALL)


def test_the_steps_know_nothing_of_faust_or_the_clock() -> None:
    folder = Path(agents.__file__).parent
    pure = (
        "activity",
        "ages",
        "check",
        "late",
        "posts",
        "spikes",
        "subscribers",
        "summary",
        "updates",
    )
    for name in pure:
        imported = _imports(folder / f"{name}.py")
        assert not imported & {"faust", "time", "datetime", "asyncio", "streams.clock"}, name


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
