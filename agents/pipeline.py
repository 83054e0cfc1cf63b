"""The main path as one list, which is executed: topics in, steps, tables, topics out.

The app, its agents, tables and changelogs, the lag of each stage and `analyticbot topology` are
built from PIPELINE and INPUTS. A new decision is a folder beside this file and an entry here.
Installed packages add their decisions to it (analyticbot.installed).
"""

from collections.abc import Mapping, Sequence

from agents.engine.decision import Decision, Input, Writer
from agents.engine.keys import declared_by
from agents.engine.plan import Plan, planned
from agents.engine.reading import AnalyticsReader
from agents.history.positions import reads
from agents.history.writer import GROUP
from agents.spikes.agent import SPIKES
from agents.updates.agent import UPDATES
from agents.updates.reader import EventReader
from streams import topics
from streams.kinds import KINDS
from streams.known import Kinds

INPUTS: tuple[Input, ...] = (
    Input(topic=topics.UPDATES, stage="updates", reader=EventReader),
    Input(topic=topics.WINDOWS, stage="windows", reader=AnalyticsReader),
)

PIPELINE: tuple[Decision, ...] = (UPDATES, SPIKES)


def writers(kinds: Kinds) -> tuple[Writer, ...]:
    """The writers of the log's records, given the known kinds of message."""
    return (Writer(name="history", group=GROUP, reads=reads(kinds), stores=("ClickHouse",)),)


WRITERS = writers(KINDS)


def plan(
    pipeline: Sequence[Decision] = PIPELINE,
    inputs: Sequence[Input] = INPUTS,
    group: str = topics.AGENTS,
) -> Plan:
    """The plan of a pipeline (engine.plan). Raises ValueError for an inconsistent list."""
    return planned(pipeline, inputs, group)


def topology(running: Plan | None = None, origins: Mapping[str, str] | None = None) -> str:
    """The plan as text, a paragraph per decision and writer.

    `origins`: by the name of a decision, the package that declares it.
    """
    running = running or plan()
    of = origins or {}
    told = [_of_decision(each, of.get(declared_by(each.name))) for each in running.decisions]
    return "\n\n".join([*told, *map(_of_writer, writers(running.kinds))])


def _of_decision(decision: Decision, origin: str | None) -> str:
    lines = [f"{' + '.join(topic.name for topic in decision.reads)} → {decision.name}"]
    lines += [f"    from: {origin}"] if origin else []
    lines.append(f"    takes: {', '.join(kind.__name__ for kind in decision.kinds)}")
    lines += [f"    {number}. {step.__name__}" for number, step in enumerate(decision.steps, 1)]
    lines.append(f"    tables: {', '.join(table.name for table in decision.kept)}")
    if decision.settings:
        lines.append(f"    settings: {', '.join(setting.name for setting in decision.settings)}")
    lines += [f"    → {topic.name}" for topic in decision.sends]
    return "\n".join(lines)


def _of_writer(writer: Writer) -> str:
    lines = [f"{' + '.join(topic.name for topic in writer.reads)} → {writer.name}"]
    lines += [f"    → {store}" for store in writer.stores]
    return "\n".join(lines)
