"""The decisions in force in a process: the program's own, then those of installed packages.

A package contributes a decision by an entry point of the group `analyticbot.decisions`; it may
import the module `analyticbot.decisions`. A role loads all decisions once, at its start, and passes
them on. Every role of a cluster must have the same ones installed.
"""

from collections.abc import Collection, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import msgspec

from agents.engine.decision import Decision
from agents.engine.plan import Plan
from agents.pipeline import PIPELINE, plan
from analyticbot.config import ConfigError
from streams import topics
from streams.kind import Kept
from streams.known import Kinds
from streams.topics import Topic
from tables.rows import Row

GROUP = "analyticbot.decisions"
WITHOUT = "ANALYTICBOT_WITHOUT"


class Installed(msgspec.Struct, frozen=True):
    """A decision of a package."""

    decision: Decision
    #: The distribution and its version.
    package: str
    #: The target of the entry point: module:name.
    refers_to: str

    def __str__(self) -> str:
        return f"{self.package}, {self.refers_to}"


class Decisions(msgspec.Struct, frozen=True):
    """The decisions of a process, and all kinds of message that it knows."""

    pipeline: tuple[Decision, ...]
    #: The part of the pipeline that runs.
    plan: Plan
    installed: tuple[Installed, ...] = ()
    #: The names of installed decisions that the operator leaves out.
    without: tuple[str, ...] = ()

    @property
    def kinds(self) -> Kinds:
        return self.plan.kinds

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics of the program, and those that decisions add."""
        sent = (topic for decision in self.pipeline for topic in decision.sends)
        return tuple(dict.fromkeys((*topics.ALL, *sent)))


def own() -> Decisions:
    """The program's own decisions, without those of packages."""
    return Decisions(PIPELINE, plan(PIPELINE))


def decisions(
    without: Collection[str] = (), points: Iterable[EntryPoint] | None = None
) -> Decisions:
    """The program's and all installed decisions, without importing those named in `without`.

    `points` defaults to the entry points of the installed packages. Raises ConfigError for an
    invalid decision, in one line that names the package.
    """
    found = sorted(entry_points(group=GROUP) if points is None else points, key=lambda p: p.name)
    _check_left_out(without, found)
    known = own()
    for point in found:
        if point.name not in without:
            known = _and(known, point)
    return msgspec.structs.replace(known, without=tuple(sorted(without)))


def _check_left_out(without: Collection[str], found: Collection[EntryPoint]) -> None:
    names = sorted({point.name for point in found})
    if unknown := sorted(set(without).difference(names)):
        known = f"installed are {', '.join(names)}" if names else "no package adds any"
        raise ConfigError(f"{WITHOUT}: {unknown[0]} is not an installed decision; {known}")


def _and(known: Decisions, point: EntryPoint) -> Decisions:
    """`known` and the decision of one more entry point. Raises ConfigError."""
    one = _loaded(point)
    try:
        pipeline = (*known.pipeline, one.decision)
        _check(one.decision, point, known)
        return Decisions(pipeline, plan(pipeline), (*known.installed, one))
    except (TypeError, ValueError) as error:
        raise _refused(point, str(error)) from error


def _loaded(point: EntryPoint) -> Installed:
    try:
        decision = point.load()
    except Exception as error:  # the package's own code: it may raise whatever there is
        raise _refused(point, f"cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(decision, Decision):
        told = f"refers to a {type(decision).__name__}, and must refer to a Decision"
        raise _refused(point, told)
    return Installed(decision, _package(point), point.value)


def _check(decision: Decision, point: EntryPoint, known: Decisions) -> None:
    """Checks the rules that apply to packages only. Raises ValueError, TypeError."""
    if decision.name != point.name:
        raise ValueError(f"is named {decision.name!r}, which must be the entry point's name")
    others = [one.package for one in known.installed if one.decision.name == decision.name]
    if decision.name in {one.name for one in known.pipeline}:
        raise ValueError(f"{others[0] if others else 'AnalyticBot itself'} has one of that name")
    for table in decision.tables:
        if not (isinstance(table.row, type) and issubclass(table.row, Row)):
            raise TypeError(f"table {table.name}: its row must be a subclass of Row")
    for topic in decision.sends:
        named = [one for one in known.topics if one.name == topic.name]
        if named and topic not in named:
            raise ValueError(f"declares topic {topic.name}, which there is, in another way")
    for kind in decision.declares:
        if isinstance(kind.history, Kept):
            raise TypeError(f"kind {kind.tag}: history must be KeptWhole or NotKept")
        if kind.live == "posts":
            raise ValueError(f"kind {kind.tag}: live cannot be 'posts'")


def _refused(point: EntryPoint, why: str) -> ConfigError:
    said = " ".join(why.split())
    return ConfigError(
        f"decision {point.name} of package {_package(point)} ({point.value}): {said}: change or "
        f"uninstall the package, or leave it out with {WITHOUT}={point.name}"
    )


def _package(point: EntryPoint) -> str:
    distribution: Any = point.dist
    return "unknown" if distribution is None else f"{distribution.name} {distribution.version}"
