"""The plan that the engine runs: the declared decisions and inputs, and those that keys add.

A decision with a key becomes two. The first reads the declared topics and forwards each message
under its keys to a repartition topic (engine.keys); the second is the decision, on that topic.
Everything that is built from a pipeline is built from its plan.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from agents.engine.decision import Decision, Input
from agents.engine.fills import TABLE as FILLS
from agents.engine.keys import KeyReader, forwarding
from agents.engine.ports import Table
from agents.engine.setting import Setting, check_settings
from agents.engine.settings import TABLE as SETTINGS
from streams.events import Event
from streams.kinds import KINDS
from streams.known import Kinds
from streams.metrics import Stage
from streams.topics import UPDATES, Topic, repartition_of
from tables.rows import JoinedRow
from tables.settings import SettingRow

#: Names that are valid in a topic and in a label of the metrics.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions that read their topics under the topics' keys, and a reader per topic."""

    decisions: tuple[Decision, ...]
    inputs: tuple[Input, ...]
    #: Every known kind of message: the program's, and those that decisions declare.
    kinds: Kinds

    @property
    def kept(self) -> tuple[Table, ...]:
        """All tables; those of fills and settings are of all decisions together."""
        own = [table for decision in self.decisions for table in decision.kept]
        own += [table for each in self.inputs if (table := self.ticks(each)) is not None]
        own += [Table(SETTINGS, SettingRow)] if self.settings else []
        return (*own, FILLS)

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables; each has a changelog."""
        return tuple(table.name for table in self.kept)

    @property
    def settings(self) -> tuple[Setting[Any], ...]:
        """What operators can set; decisions may share a setting."""
        declared = (setting for each in self.decisions for setting in each.settings)
        return tuple(dict.fromkeys(declared))

    @property
    def forwarded(self) -> tuple[Topic, ...]:
        """The repartition topics. Only the engine reads and writes them."""
        return tuple(each.topic for each in self.inputs if each.upstream)

    def forwards(self, decision: Decision) -> bool:
        """Whether it only forwards messages under the keys of another decision."""
        return bool(decision.sends) and set(decision.sends) <= set(self.forwarded)

    @property
    def flow(self) -> tuple[Topic, ...]:
        """All topics that are read or sent to, each after those that it is made from.

        Topics that are made from each other keep the order of the list.
        """
        made_from: dict[Topic, dict[Topic, None]] = {each.topic: {} for each in self.inputs}
        for decision in self.decisions:
            for topic in decision.sends:
                made_from.setdefault(topic, {}).update(dict.fromkeys(decision.reads))
        found: dict[Topic, None] = {}
        for topic in made_from:
            _follow(topic, made_from, set(), found)
        return tuple(found)

    def after(self, topic: Topic) -> tuple[Topic, ...]:
        """The inputs that are made from `topic`: what is broadcast goes on to them."""
        deciding = [decision for decision in self.decisions if topic in decision.reads]
        sent = {to for decision in deciding for to in decision.sends}
        behind = self.flow[self.flow.index(topic) + 1 :]
        read = {each.topic for each in self.inputs}
        return tuple(to for to in behind if to in sent & read)

    def ticks(self, each: Input) -> Table | None:
        """Where a topic of keys has its time; None where nobody on it, or after it, has timers."""
        if not each.upstream:
            return None
        [decision] = self.on(each)
        wanted = decision.on_time is not None or self.after(each.topic)
        return decision.ticks if wanted else None

    @property
    def roots(self) -> tuple[Topic, ...]:
        """The inputs that are made from no other: broadcasts begin there."""
        follow = {after for each in self.inputs for after in self.after(each.topic)}
        return tuple(each.topic for each in self.inputs if each.topic not in follow)

    def last(self, decision: Decision) -> Topic:
        """The topic of a decision that a broadcast reaches behind all its others."""
        return max(decision.reads, key=self.flow.index)

    def on(self, each: Input) -> tuple[Decision, ...]:
        """The decisions that read an input, in the order in which they get its messages."""
        return tuple(decision for decision in self.decisions if each.topic in decision.reads)


def _follow(
    topic: Topic,
    made_from: Mapping[Topic, Iterable[Topic]],
    met: set[Topic],
    found: dict[Topic, None],
) -> None:
    if topic in met or topic in found:
        return
    met.add(topic)
    for source in made_from.get(topic, ()):
        _follow(source, made_from, met, found)
    found[topic] = None


def planned(pipeline: Sequence[Decision], inputs: Sequence[Input], group: str) -> Plan:
    """`group` prefixes the repartition topics. Raises ValueError for an inconsistent list."""
    kinds = _kinds_of(pipeline)
    for decision in pipeline:
        _check(decision, inputs)
        _check_kinds(decision, kinds)
    decisions: list[Decision] = []
    added: list[Input] = []
    for decision in pipeline:
        if decision.key is None:
            decisions.append(decision)
            continue
        topic = repartition_of(group, decision.name)
        decisions += (
            forwarding(decision, topic),
            msgspec.structs.replace(decision, reads=(topic,)),
        )
        added.append(
            Input(topic=topic, stage=decision.name, reader=KeyReader, upstream=decision.reads)
        )
    read = {topic for decision in decisions for topic in decision.reads}
    plan = Plan(
        decisions=tuple(decisions),
        inputs=tuple(each for each in (*inputs, *added) if each.topic in read),
        kinds=kinds,
    )
    _refuse_twice("decisions of one name", (decision.name for decision in plan.decisions))
    _refuse_twice("tables of two decisions", plan.tables)
    check_settings(plan.settings)
    _refuse_twice("inputs of one stage", (each.stage for each in (*inputs, *added)))
    return plan


def _kinds_of(pipeline: Sequence[Decision]) -> Kinds:
    """Raises ValueError if two kinds share what must be unique."""
    try:
        return KINDS.and_(*(kind for decision in pipeline for kind in decision.declares))
    except TypeError as error:
        raise ValueError(str(error)) from error


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise ValueError(f"{what}: {', '.join(twice)}")


def _check(decision: Decision, inputs: Sequence[Input]) -> None:
    """Raises ValueError if a decision cannot run."""
    name, reads = decision.name, decision.reads
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a decision: use a-z, 0-9, - and _")
    if name in get_args(Stage):
        raise ValueError(f"{name} is a stage of the program itself: give the decision another name")
    if not reads:
        raise ValueError(f"{name} reads no topic")
    _refuse_twice(f"{name} reads a topic twice", (topic.name for topic in reads))
    for topic in reads:
        if all(each.topic != topic for each in inputs):
            raise ValueError(f"{name} reads {topic.name}, which has no reader")
    if not decision.kinds:
        raise ValueError(f"{name} takes no kind of message")
    if decision.key is not None and not callable(decision.key):
        raise ValueError(f"{name} has a key that is not a function: {decision.key!r}")
    plain = [table for table in decision.tables if not issubclass(table.row, JoinedRow)]
    if len(reads) > 1 and decision.key is None and plain:
        raise ValueError(
            f"{name} reads several topics, so the rows of its table {plain[0].name} must remember "
            f"what was folded of each: make {plain[0].row.__name__} a JoinedRow"
        )


def _check_kinds(decision: Decision, known: Kinds) -> None:
    """Raises ValueError for a kind that no topic of a decision carries: nobody would get it."""
    carried = {kind.struct for kind in known if kind.topic in decision.reads}
    carried.update(get_args(Event) if UPDATES in decision.reads else ())
    if strange := [kind.__name__ for kind in decision.kinds if kind not in carried]:
        topics = " and ".join(topic.name for topic in decision.reads)
        raise ValueError(f"{decision.name} takes {strange[0]}, which {topics} does not carry")
    for kind in decision.declares:
        if kind.topic not in decision.sends:
            raise ValueError(
                f"{decision.name} declares {kind.tag}, which is sent to {kind.topic.name}, and "
                "does not send there"
            )
