"""The main path as one list: topic in, steps, tables, topics out (`analyticbot topology`)."""

from collections.abc import Sequence

import msgspec

from agents.updates import STEPS
from streams import topics
from streams.topics import Topic


class Agent(msgspec.Struct, frozen=True):
    """One agent: what it reads, what it does with a message, what it keeps, where it sends."""

    name: str
    reads: tuple[Topic, ...]
    #: The steps of a message, in order.
    steps: tuple[str, ...]
    tables: tuple[str, ...] = ()
    sends: tuple[Topic, ...] = ()
    #: Where it writes beside topics.
    stores: tuple[str, ...] = ()


PIPELINE: tuple[Agent, ...] = (
    Agent(
        name="updates",
        reads=(topics.UPDATES,),
        steps=("read_event", *(step.__name__ for step in STEPS)),
        tables=("channels", "posts", "shelves"),
        sends=(topics.WINDOWS,),
    ),
    Agent(
        name="spikes",
        reads=(topics.WINDOWS,),
        steps=("put_spikes",),
        tables=("spikes",),
        sends=(topics.ALERTS,),
    ),
    Agent(
        name="history",
        reads=(topics.UPDATES, topics.WINDOWS, topics.ALERTS),
        steps=("write_history",),
        stores=("ClickHouse",),
    ),
)


def topology(pipeline: Sequence[Agent] = PIPELINE) -> str:
    """The pipeline as text, an agent a paragraph."""
    return "\n\n".join(_paragraph(agent) for agent in pipeline)


def _paragraph(agent: Agent) -> str:
    lines = [f"{' + '.join(topic.name for topic in agent.reads)} → {agent.name}"]
    lines += [f"    {number}. {step}" for number, step in enumerate(agent.steps, start=1)]
    if agent.tables:
        lines.append(f"    tables: {', '.join(agent.tables)}")
    for target in (*(topic.name for topic in agent.sends), *agent.stores):
        lines.append(f"    → {target}")
    return "\n".join(lines)
