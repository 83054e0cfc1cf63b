"""What of a recording's files was read, taken and refused, counted, with a few examples of each.

Bounded whatever the files hold: a folder of millions of bad lines costs no more than one of few.
"""

from typing import NamedTuple

import msgspec

from streams.recording_rows import Fault

#: Of each kind of problem the first few lines are kept.
EXAMPLES = 5
#: More kinds than these are counted as one.
_MOST_KINDS = 100
_OTHER = "is refused as well"


class Problem(msgspec.Struct, frozen=True):
    """A line, or a value in it, that was not taken."""

    file: str
    line: int
    fault: Fault

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.fault}"


class Kind(NamedTuple):
    field: str
    why: str
    #: Whether it costs the row.
    whole: bool


class Kept(msgspec.Struct):
    """All problems of one kind."""

    count: int = 0
    examples: list[Problem] = []


class FileTally(msgspec.Struct):
    """One file, as it was read last."""

    file: str
    #: Lines that are not blank.
    rows: int = 0
    refused: int = 0
    #: Rows that were taken without some of their values.
    in_part: int = 0
    #: Samples of posts that no row of the recording tells.
    of_unknown_posts: int = 0
    #: Rows that say nothing that another row had not said.
    merged: int = 0
    kinds: dict[Kind, Kept] = {}

    @property
    def taken(self) -> int:
        return self.rows - self.refused

    def refuse(self, line: int, fault: Fault) -> None:
        """The row as a whole."""
        self.refused += 1
        self._note(line, fault)

    def take_without(self, line: int, faults: list[Fault]) -> None:
        """The row, but for the values that have these faults."""
        self.in_part += bool(faults)
        for fault in faults:
            self._note(line, fault)

    def problems(self) -> list[Problem]:
        """Examples of every kind, in the order of their lines."""
        found = [problem for kept in self.kinds.values() for problem in kept.examples]
        return sorted(found, key=lambda problem: problem.line)

    def _note(self, line: int, fault: Fault) -> None:
        kind = Kind(fault.field, fault.why, fault.whole)
        if kind not in self.kinds and len(self.kinds) >= _MOST_KINDS:
            kind = Kind("", _OTHER, fault.whole)
        kept = self.kinds.setdefault(kind, Kept())
        kept.count += 1
        if len(kept.examples) < EXAMPLES:
            kept.examples.append(Problem(self.file, line, fault))
